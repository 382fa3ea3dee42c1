// The same by the slim entry.

import { connect as slim } from 'multichat/slim'
import wasm from 'multichat/multichat.wasm?url'

export const connect = (options) => slim({ ...options, wasm })
