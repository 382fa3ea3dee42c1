// What the package adds to the session: events, waiting, signals, ends. Node.js with `ws`.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { connect, MultichatError, start } from 'multichat'
import WebSocket from 'ws'
import { KEY, router } from './support/router.mjs'

const QUICK = { first: 1, longest: 1 }

/** Options for a client of this name, which is closed when the test ends. */
async function setUp (t, fields) {
  const running = await router(t, fields)
  const made = []
  t.after(() => Promise.all(made.map((client) => client.close())))
  const options = (name, more) => ({ url: running.url, key: KEY, name, WebSocket, ...more })
  return {
    ...running,
    options,
    join: async (name, more) => { const client = await connect(options(name, more)); made.push(client); return client },
    begin: (name, more) => { const client = start(options(name, more)); made.push(client); return client }
  }
}

async function next (events, type) {
  for (;;) {
    const { value, done } = await events.next()
    assert.ok(!done, `no ${type} came`)
    if (value.type === type) return value
  }
}

const rejected = (promise) => promise.then(() => assert.fail('it has to fail'), (error) => error)

test('start waits for a router that comes later, and sends what was said before', async (t) => {
  const { join, begin, stop } = await setUp(t)
  const restart = await stop()
  const early = begin('early', { reconnect: QUICK })
  const sent = early.send('before anyone was there')
  const waiting = await next(early.events(), 'state').then(async () => {
    const events = early.events()
    while (early.state.type !== 'waiting') await next(events, 'state')
    return early.state
  })
  assert.equal(waiting.cause.code, 'unreachable')
  assert.ok(waiting.cause instanceof MultichatError)
  assert.ok(waiting.retryAt <= Date.now() + 1)
  await restart()
  await early.online()
  assert.equal((await sent).type, 'logged')
  const late = await join('late', { history: 10 })
  const message = await next(late.events(), 'message')
  assert.deepEqual([message.content, message.replay], ['before anyone was there', true])
})

test('a killed router is come back to, and the gap is told', async (t) => {
  const { join, stop } = await setUp(t)
  const client = await join('a', { reconnect: QUICK })
  const events = client.events()
  await client.send('one')
  const restart = await stop('SIGKILL')
  await restart()
  assert.equal((await next(events, 'gap')).cause, 'new-log')
  assert.equal(client.state.type, 'online')
  assert.equal((await client.send('two')).seq, 1)
})

test('events wait for the first who asks, listener or loop', async (t) => {
  const { join } = await setUp(t)
  const [looped, listened, speaker] = [await join('looped'), await join('listened'), await join('speaker')]
  for (const text of ['1', '2', '3']) await speaker.send(text)
  await speaker.flush()
  // Both have it by now, as they are told before the one who joins later hears of it in its history.
  const last = await join('last', { history: 1 })
  await next(last.events(), 'message')

  const heard = []
  const three = new Promise((resolve) => {
    listened.addEventListener('message', ({ detail }) => { heard.push(detail.content); if (heard.length === 3) resolve() })
  })
  await three
  assert.deepEqual(heard, ['1', '2', '3'])
  const events = looped.events()
  for (const text of ['1', '2', '3']) assert.equal((await next(events, 'message')).content, text)

  // From now on, everyone has all.
  const second = looped.events()
  await speaker.send('4')
  assert.equal((await next(events, 'message')).content, '4')
  assert.equal((await next(second, 'message')).content, '4')
})

test('a loop that is too slow is told how much it missed', async (t) => {
  const { join } = await setUp(t)
  const slow = await join('slow', { eventCapacity: 4 })
  const speaker = await join('speaker')
  const events = slow.events()
  const all = 10
  // Listeners are never too slow.
  const last = new Promise((resolve) => {
    slow.addEventListener('message', ({ detail }) => { if (detail.content === String(all - 1)) resolve() })
  })
  await Promise.all(Array.from({ length: all }, (_, number) => speaker.send(String(number))))
  await last
  const lagged = await next(events, 'lagged')
  const kept = []
  for (let left = 4; left > 0; left -= 1) kept.push((await next(events, 'message')).content)
  assert.ok(lagged.events >= all - 4)
  assert.deepEqual(kept, ['6', '7', '8', '9'])
})

test('a client that only sends keeps no events', async (t) => {
  const { join } = await setUp(t)
  const client = await join('a', { eventCapacity: 0 })
  const speaker = await join('speaker')
  await speaker.send('1')
  // The ack comes on the same way as that message, behind it.
  await client.send('hello')
  const first = client.events().next()
  const heard = new Promise((resolve) => client.addEventListener('message', ({ detail }) => resolve(detail.content)))
  await speaker.send('2')
  assert.equal((await first).value.content, '2')
  assert.equal(await heard, '2')
})

test('leaving a loop leaves the client', async (t) => {
  const { join } = await setUp(t)
  const client = await join('a')
  for await (const event of client) {
    assert.equal(event.type, 'state')
    break
  }
  assert.equal(client.state.type, 'online')
  assert.equal((await client.send('still here')).type, 'logged')
})

test('signals', async (t) => {
  const { join, begin, options, stop } = await setUp(t)
  const client = await join('a')

  const stopped = new AbortController()
  const loop = rejected((async () => { for await (const event of client.events({ signal: stopped.signal })) assert.ok(event) })())
  const reason = new Error('enough')
  stopped.abort(reason)
  assert.equal(await loop, reason)
  assert.equal(await rejected(client.closed({ signal: stopped.signal })), reason)
  assert.equal(await rejected(connect({ ...options('b'), signal: stopped.signal })), reason)

  const ending = new AbortController()
  const other = begin('other', { signal: ending.signal })
  await other.online()
  ending.abort()
  assert.deepEqual(await other.closed(), { type: 'closed', by: 'client' })

  await stop()
  // Nobody answers there, but the connection is taken.
  const silent = (await import('node:net')).createServer().listen(0, '127.0.0.1')
  t.after(() => silent.close())
  await once(silent, 'listening')
  silent.on('connection', (socket) => t.after(() => socket.destroy()))
  const url = `ws://127.0.0.1:${silent.address().port}/`
  const given = new AbortController()
  const trying = rejected(connect({ ...options('c'), url, signal: given.signal }))
  await once(silent, 'connection')
  given.abort(reason)
  assert.equal(await trying, reason)
  const timedOut = await rejected(connect({ ...options('c'), url, timeouts: { connect: 20 } }))
  assert.deepEqual([timedOut.code, timedOut.retryable], ['timeout', true])
})

test('a signal ends the waiting for the end, and not the end', async (t) => {
  const { join, begin, stop } = await setUp(t)
  const gone = AbortSignal.abort()
  for (const end of [(client) => client.close({ signal: gone }), (client) => client.drain(undefined, { signal: gone })]) {
    const client = await join('a')
    assert.equal(await rejected(end(client)), gone.reason)
    assert.deepEqual(await client.closed(), { type: 'closed', by: 'client' })
    // Before the wasm is there.
    const early = begin('b')
    assert.equal(await rejected(end(early)), gone.reason)
    assert.deepEqual(await early.closed(), { type: 'closed', by: 'client' })
  }

  const draining = await join('a', { reconnect: QUICK })
  await stop()
  const kept = rejected(draining.send('hello'))
  const impatient = new AbortController()
  const drained = rejected(draining.drain(600_000, { signal: impatient.signal }))
  impatient.abort()
  assert.equal(await drained, impatient.signal.reason)
  assert.notEqual(draining.state.type, 'closed')
  await draining.close()
  assert.deepEqual([(await kept).code, (await kept).fate], ['closed', 'not-sent'])
})

test('wrong options', async (t) => {
  const { options } = await setUp(t)
  for (const [more, code] of [[{ url: 'example.org' }, 'invalid-url'], [{ name: '' }, 'invalid-name'], [{ key: '' }, 'invalid-key']]) {
    const error = await rejected(connect(options('a', more)))
    assert.deepEqual([error.code, error.retryable, error.explanation.length > 20], [code, false, true])
    assert.equal((await start(options('a', more)).closed()).cause.code, code)
  }
  for (const more of [{ name: 5 }, { key: undefined }, { history: -1 }, { reconnect: { first: NaN } }]) {
    assert.ok(await rejected(connect(options('a', more))) instanceof TypeError)
    assert.throws(() => start(options('a', more)), TypeError)
  }
  const failing = await rejected(connect(options('a', { key: async () => { throw new Error('the vault is locked') } })))
  assert.deepEqual([failing.code, failing.message.includes('the vault is locked')], ['key-unavailable', true])
  // Perhaps there is one the next time.
  const empty = await rejected(connect(options('a', { key: async () => '' })))
  assert.deepEqual([empty.code, empty.retryable, empty.message.includes('it is empty')], ['key-unavailable', true, true])
})

test('why a router cannot be reached is told, as far as it is known', async (t) => {
  const { options, url } = await setUp(t, { 'ws-path': '/chat' })
  const path = await rejected(connect(options('a', { url })))
  assert.equal(path.code, 'unreachable')
  assert.match(path.explanation, /Unexpected server response: 404/)
  const nobody = await rejected(connect(options('a', { url: 'ws://127.0.0.1:9/' })))
  assert.equal(nobody.code, 'unreachable')
  assert.match(nobody.explanation, /127\.0\.0\.1, port 9: connect ECONNREFUSED/)
})

test('wrong messages', async (t) => {
  const { join } = await setUp(t)
  const client = await join('a')
  for (const message of [5, { content: 5 }, { content: 'a', sender: {} }, { content: 'a', replyTo: 1.5 }, { attachments: [{}] }]) {
    assert.ok(await rejected(client.send(message)) instanceof TypeError)
  }
  assert.ok(await rejected(client.edit(undefined, 'a')) instanceof TypeError)
  assert.ok(await rejected(client.report(1, { status: 'lost' })) instanceof TypeError)
  assert.equal((await rejected(client.attach('a', [{ url: 'javascript:alert(1)' }]))).code, 'bad-attachment')
  assert.equal((await rejected(client.send('a'.repeat(2 ** 20)))).code, 'too-big')
  // What is null is not there.
  const nothing = { content: 'a', sender: null, replyTo: null, attachments: null, event: null }
  assert.equal((await client.send(nothing)).type, 'logged')
  assert.equal((await client.reply(null, { attachments: [{ url: 'https://example.org/', size: null }] })).type, 'logged')
  // Half of an emoji is no text, but no reason to fail.
  const events = (await join('b')).events()
  await client.send('\ud83d')
  assert.equal((await next(events, 'message')).content, '\ufffd')
})

test('an outbox that is full says so, and when it has room', async (t) => {
  const { begin, stop } = await setUp(t)
  const restart = await stop()
  const client = begin('a', { reconnect: QUICK, outbox: { messages: 2 } })
  const sent = [client.send('1'), client.send('2')]
  const full = await rejected(client.send('3'))
  assert.deepEqual([full.code, full.retryable, full.fate, full.unsent.content], ['outbox-full', true, 'not-sent', '3'])
  const ready = client.ready()
  await restart()
  await ready
  assert.deepEqual((await Promise.all(sent)).map(({ seq }) => seq), [1, 2])

  await stop()
  const dropping = begin('b', { reconnect: QUICK, outbox: { messages: 1, whenFull: 'drop-oldest' } })
  const dropped = rejected(dropping.send('1'))
  const kept = dropping.send('2')
  assert.equal((await dropped).unsent.content, '1')
  await dropping.close()
  assert.deepEqual([(await rejected(kept)).code, (await rejected(kept)).fate], ['closed', 'not-sent'])
})

test('await using drains', async (t) => {
  const { join } = await setUp(t)
  const client = await join('a')
  const sent = client.send('the last one')
  await client[Symbol.asyncDispose]()
  assert.equal((await sent).type, 'logged')
  assert.equal(client.state.type, 'closed')
  // All of it is fine again and again.
  await Promise.all([client.close(), client.drain(), client.flush(), client.ready(), client.closed()])
  assert.equal((await rejected(client.online())).code, 'closed')
  assert.equal((await client.events().next()).value.type, 'state')
})

test('one whose name is refused stays away', async (t) => {
  const { options } = await setUp(t)
  const error = await rejected(connect(options('n'.repeat(65))))
  assert.deepEqual([error.code, error.retryable], ['bad-register', false])
})

test('one who is replaced stays away', async (t) => {
  const { url, join } = await setUp(t)
  const opened = []
  let ack
  class Overheard extends WebSocket {
    constructor (url) {
      super(url)
      opened.push(this)
      this.once('message', (text) => { ack = JSON.parse(text) })
    }
  }
  const client = await join('a', { WebSocket: Overheard, reconnect: QUICK })
  const { session, epoch, seq } = ack
  const other = new WebSocket(url)
  t.after(() => other.terminate())
  await once(other, 'open')
  other.send(JSON.stringify({ action: 'register', 'client-name': 'a', 'secret-key': KEY, protocol: 2, resume: { session, epoch, seq } }))
  const { by, cause } = await client.closed()
  assert.deepEqual([by, cause.code, cause.retryable, opened.length], ['server', 'replaced', false, 1])
})

test('what is not sent because of the end says why', async (t) => {
  const { begin } = await setUp(t)
  const client = begin('a', { key: 'wrong' })
  const error = await rejected(client.send('hello'))
  assert.deepEqual([error.code, error.fate, error.text], ['closed', 'not-sent', 'hello'])
  assert.equal(error.cause.code, 'unauthorized')
  assert.equal(error.cause, (await client.closed()).cause)
})

test('so many attempts after the first, and no more', async (t) => {
  const { begin, stop } = await setUp(t)
  await stop()
  for (const [reconnect, attempts] of [[{ ...QUICK, attempts: 2 }, [1, 2, 3]], [{ ...QUICK, attempts: 0 }, [1]], [false, [1]]]) {
    const made = []
    const client = begin('a', { reconnect })
    for await (const { state } of client) if (state.type === 'connecting') made.push(state.attempt)
    assert.deepEqual(made, attempts)
    assert.deepEqual([client.state.type, client.state.cause.code], ['closed', 'unreachable'])
  }
})

test('many clients in one program', async (t) => {
  const { join } = await setUp(t)
  const names = Array.from({ length: 30 }, (_, number) => `client ${number}`)
  const clients = await Promise.all(names.map((name) => join(name)))
  const feeds = clients.map((client) => client.events())
  const logged = await Promise.all(clients.map((client, number) => client.send(names[number])))
  assert.deepEqual(logged.map(({ seq }) => seq).toSorted((a, b) => a - b), names.map((_, number) => number + 1))
  const said = names.toSorted((a, b) => logged[names.indexOf(a)].seq - logged[names.indexOf(b)].seq)
  for (const [number, events] of feeds.entries()) {
    const heard = []
    while (heard.length < names.length - 1) heard.push((await next(events, 'message')).content)
    assert.deepEqual(heard, said.filter((name) => name !== names[number]))
  }
})

test('nothing keeps the program alive after close', async (t) => {
  const { url } = await setUp(t)
  const { execute } = await import('./support/project.mjs')
  const program = `
    import { connect, start } from 'multichat'
    import WebSocket from 'ws'
    const options = { url: '${url}', key: '${KEY}', WebSocket, name: 'a' }
    const client = await connect(options)
    await client.send('hello')
    await client.close()
    const waiting = start({ ...options, url: 'ws://127.0.0.1:9/', reconnect: { first: 600_000, longest: 600_000 } })
    waiting.addEventListener('state', ({ detail: { state } }) => { if (state.type === 'waiting') waiting.close() })
  `
  const { code, stderr } = await execute(process.execPath, ['--input-type=module', '--eval', program])
  assert.deepEqual([code, stderr], [0, ''])
})

test('a thousand messages at once come in their order, once', async (t) => {
  const { join } = await setUp(t)
  const [speaker, hearer] = [await join('speaker'), await join('hearer')]
  const events = hearer.events()
  const sent = Array.from({ length: 1000 }, (_, number) => speaker.send(`${number}`))
  const heard = []
  while (heard.length < 1000) heard.push((await next(events, 'message')).content)
  assert.deepEqual(heard, Array.from({ length: 1000 }, (_, number) => `${number}`))
  assert.deepEqual((await Promise.all(sent)).map(({ seq }) => seq), Array.from({ length: 1000 }, (_, number) => number + 1))
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
      for (const packet of packets) this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(packet) }))
      this.readyState = 3
      this.dispatchEvent(Object.assign(new Event('close'), { code, reason: '', wasClean: true }))
    })
  }

  close () { this.readyState = 3 }
}

test('what comes at once comes in its order, and before the end', async () => {
  const messages = Array.from({ length: 500 }, (_, number) => (
    { action: 'forwarding-message', 'source-client-name': 'a', content: `${number}`, seq: number + 1, time: 1 }
  ))
  const ack = { action: 'register-ack', protocol: 2, session: 's', epoch: 'e', seq: 0, after: 0, limits: { 'packet-bytes': 2 ** 20 } }
  const client = start({ url: 'ws://127.0.0.1:9/', key: 'k', name: 'b', WebSocket: saying([ack, ...messages], 4403) })
  const heard = []
  for await (const event of client) heard.push(event.type === 'message' ? event.content : event.state?.type)
  const states = ['connecting', 'registering', 'online']
  assert.deepEqual(heard.filter((it) => !states.includes(it)), [...messages.map(({ content }) => content), 'closed'])
  assert.equal(client.state.cause.code, 'revoked')
})
