// A bridge on `ws`; see ../README.md.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import WebSocket from 'ws'

const report = (event) => console.log(JSON.stringify(event))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { ask: { type: 'string' }, authority: { type: 'string' }, tls: { type: 'string' } }
})
const [url, name, key] = positionals
const options = { perMessageDeflate: true }
if (values.authority) options.ca = readFileSync(values.authority)
if (values.tls) options.minVersion = options.maxVersion = `TLSv${values.tls}`

const socket = new WebSocket(url.replace(/\/+$/, '') + '/', options)

function send (value, fragments) {
  const packet = Buffer.from(JSON.stringify(value))
  const size = Math.ceil(packet.length / fragments)
  for (let at = 0; at < packet.length; at += size) {
    socket.send(packet.subarray(at, at + size), { binary: false, fin: at + size >= packet.length })
  }
}

function obey (line) {
  const order = JSON.parse(line)
  if ('ping' in order) socket.ping()
  else if ('abort' in order) socket.terminate()
  else send(order.send ?? { action: 'client-message', content: order.say }, order.fragments ?? 1)
}

socket.on('open', () => {
  const more = JSON.parse(values.ask ?? '{}')
  socket.send(JSON.stringify({ action: 'register', 'client-name': name, 'secret-key': key, ...more }))
})
socket.on('message', (data) => {
  const packet = JSON.parse(data)
  if (packet.action === 'register-ack') {
    const tls = values.authority ? socket._socket.getProtocol() : null
    report({ registered: { extensions: socket.extensions, tls } })
    createInterface({ input: process.stdin }).on('line', obey).on('close', () => socket.close())
  }
  if (values.ask) {
    report({ packet, text: data.toString() })
  } else if (packet.action === 'forwarding-message') {
    report({ heard: `[${packet['source-client-name']}]${packet.content}` })
  }
})
socket.on('ping', () => report({ pinged: true }))
socket.on('pong', () => report({ ponged: true }))
socket.on('close', (code, reason) => {
  report({ closed: { code, reason: reason.toString() } })
  process.exit()
})
