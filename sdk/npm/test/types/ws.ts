import { connect } from 'multichat'
import WebSocket from 'ws'

export const client = connect({ url: 'ws://127.0.0.1/', name: 'a', key: 'b', WebSocket })
