// What stands between the wasm and the WebSocket that it is given: what is told of it, and when. Node.js.

import assert from 'node:assert/strict'
import test from 'node:test'
import { connect, start } from 'multichat'
import WebSocket from 'ws'
import { execute, program } from './support/project.mjs'
import { KEY, router } from './support/router.mjs'

const rejected = (promise) => promise.then(() => assert.fail('it has to fail'), (error) => error)

/** Joins such a router, until the test ends. */
async function setUp (t, fields) {
  const { url } = await router(t, fields)
  const join = async (name, more) => {
    const client = await connect({ url, key: KEY, name, WebSocket, ...more })
    t.after(() => client.close())
    return client
  }
  return { url, join }
}

test('why a router cannot be reached is told, as far as it is known', async (t) => {
  const { join } = await setUp(t, { 'ws-path': '/chat' })
  const path = await rejected(join('a'))
  assert.equal(path.code, 'unreachable')
  assert.match(path.explanation, /Unexpected server response: 404/)
  const nobody = await rejected(join('a', { url: 'ws://127.0.0.1:9/' }))
  assert.equal(nobody.code, 'unreachable')
  assert.match(nobody.explanation, /127\.0\.0\.1, port 9: connect ECONNREFUSED/)
})

test('where no more is told than that it failed, the causes that there may be are named', async () => {
  const script = `
    import { connect } from 'multichat'
    connect({ url: 'ws://127.0.0.1:9/', key: 'k', name: 'a' }).catch(({ explanation }) => console.log(explanation))
  `
  // Of version 20 behind a flag.
  const own = 'WebSocket' in globalThis ? [] : ['--experimental-websocket']
  for (const [command, args] of [
    [process.execPath, [...own, '--input-type=module', '--eval', script]],
    [program('bun'), ['--no-install', '--eval', script]]
  ]) {
    const { code, stdout } = await execute(command, args)
    assert.equal(code, 0)
    assert.match(stdout, /127\.0\.0\.1, port 9: .* nobody listens there/)
  }
})

test('a class may listen to its own messages', async (t) => {
  const { join } = await setUp(t)
  const heard = []
  class Curious extends WebSocket {
    constructor (url) {
      super(url)
      const hear = (event) => heard.push(JSON.parse(event.data).action)
      const never = () => assert.fail('it was removed')
      this.addEventListener('open', () => {
        this.addEventListener('message', never)
        this.addEventListener('message', hear)
        this.addEventListener('message', ({ data }) => heard.push(`once ${JSON.parse(data).action}`), { once: true })
        this.removeEventListener('message', never)
      })
    }
  }
  const client = await join('a', { WebSocket: Curious })
  assert.equal((await client.send('hello')).seq, 1)
  assert.deepEqual(heard, ['register-ack', 'once register-ack', 'message-ack'])
})

test('who waits for a message to be logged knows its place before its receipt comes', async (t) => {
  const { join } = await setUp(t)
  // As with a program that was busy: acks and receipts are there together.
  class Held extends WebSocket {
    #acks = []
    #receipts = []
    emit (type, ...args) {
      const { action } = type === 'message' ? JSON.parse(args[0]) : {}
      if (action === 'message-ack') return this.#acks.push(args)
      if (action !== 'forwarding-receipt') return super.emit(type, ...args)
      if (this.#receipts.push(args) === 2) for (const held of [...this.#acks, ...this.#receipts]) super.emit(type, ...held)
    }
  }
  const speaker = await join('speaker', { WebSocket: Held })
  const hearer = await join('hearer', { WebSocket })
  hearer.addEventListener('message', ({ detail }) => hearer.report(detail.seq, { status: 'delivered' }))
  const order = []
  const receipts = new Promise((resolve) => speaker.addEventListener('receipt', ({ detail }) => {
    order.push(`receipt of ${detail.target}`)
    if (detail.target === 2) resolve()
  }))
  const say = async (text) => {
    const { seq } = await speaker.send(text)
    order.push(`place ${seq}`)
  }
  await Promise.all([say('one'), say('two'), receipts])
  assert.deepEqual(order, ['place 1', 'place 2', 'receipt of 1', 'receipt of 2'])
})

const ACK = { action: 'register-ack', protocol: 2, session: 's', epoch: 'e', seq: 0, after: 0, limits: { 'packet-bytes': 2 ** 20 } }

/** A router that says all of this at once when it is registered with, and closes. */
const saying = (packets, code) => class extends EventTarget {
  readyState = 0
  bufferedAmount = 0
  constructor () {
    super()
    queueMicrotask(() => { this.readyState = 1; this.dispatchEvent(new Event('open')) })
  }

  send () {
    queueMicrotask(() => {
      for (const packet of packets) this.tell(packet)
      this.end()
    })
  }

  tell (packet) {
    this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(packet) }))
  }

  end () {
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason: '', wasClean: true }))
  }

  close () { this.readyState = 3 }
}

test('what comes at once comes in its order, and before the end', async () => {
  const messages = Array.from({ length: 500 }, (_, number) => (
    { action: 'forwarding-message', 'source-client-name': 'a', content: `${number}`, seq: number + 1, time: 1 }
  ))
  const client = start({ url: 'ws://127.0.0.1:9/', key: 'k', name: 'b', WebSocket: saying([ACK, ...messages], 4403) })
  const heard = []
  for await (const event of client) heard.push(event.type === 'message' ? event.content : event.state?.type)
  const states = ['connecting', 'registering', 'online']
  assert.deepEqual(heard.filter((it) => !states.includes(it)), [...messages.map(({ content }) => content), 'closed'])
  assert.equal(client.state.cause.code, 'revoked')
})

test('a receipt does not come before the place either if both are told one by one', async () => {
  // With so many microtasks between them the wasm tells of each by itself, and whoever waits knows only of the first.
  for (let between = 0; between < 20; between += 1) {
    class Router extends saying([], 4403) {
      send (text) {
        const { action, id } = JSON.parse(text)
        // In a turn of its own, in which the first of what comes is not held up.
        if (action === 'client-message') setTimeout(() => this.answer(id))
        else queueMicrotask(() => this.tell(ACK))
      }

      async answer (id) {
        this.tell({ action: 'message-ack', id, seq: 1, time: 1 })
        for (let count = 0; count < between; count += 1) await undefined
        this.tell({ action: 'forwarding-receipt', 'source-client-name': 'b', target: 1, status: 'delivered' })
        this.end()
      }
    }
    const client = start({ url: 'ws://127.0.0.1:9/', key: 'k', name: 'a', WebSocket: Router })
    const order = []
    client.addEventListener('receipt', ({ detail }) => order.push(`receipt of ${detail.target}`))
    const sent = client.send('hello').then(({ seq }) => order.push(`place ${seq}`))
    await Promise.all([sent, client.closed()])
    assert.deepEqual(order, ['place 1', 'receipt of 1'], `${between} microtasks between`)
  }
})
