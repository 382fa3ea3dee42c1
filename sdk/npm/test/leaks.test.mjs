// What is over leaves nothing behind: no listener, nobody who waits, no client, no socket, nothing in the wasm.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import test from 'node:test'
import { connect, start } from 'multichat'
import WebSocket from 'ws'
import { execute } from './support/project.mjs'
import { KEY, router } from './support/router.mjs'

test('a signal that lives long', async (t) => {
  const { url } = await router(t)
  const { signal } = new AbortController()
  const listeners = async () => { await setImmediate(); return getEventListeners(signal, 'abort').length }
  const client = start({ url, key: KEY, name: 'a', WebSocket, signal })
  t.after(() => client.close())
  await client.online({ signal })
  assert.equal(await listeners(), 1, 'that of start')
  await client.ready({ signal })
  await client.flush({ signal })
  assert.equal(await listeners(), 1)

  const aborted = AbortSignal.abort()
  for (const wait of ['ready', 'flush', 'online', 'closed']) await assert.rejects(client[wait]({ signal: aborted }), aborted.reason)
  await assert.rejects(client.events({ signal: aborted }).next(), aborted.reason)
  assert.equal(getEventListeners(aborted, 'abort').length, 0)

  const [events, left] = [client.events({ signal }), client.events({ signal })]
  assert.equal(await listeners(), 3)
  await left.return()
  assert.equal(await listeners(), 2)
  const looped = (async () => { for await (const event of events) assert.ok(event) })()
  const ended = client.closed({ signal })
  assert.equal(await listeners(), 3)
  await client.close()
  await Promise.all([looped, ended])
  assert.equal(await listeners(), 0)
  for await (const event of client.events({ signal })) assert.ok(event)
  await client.closed({ signal })
  assert.equal(await listeners(), 0)

  for (const end of ['close', 'drain']) {
    const connected = await connect({ url, key: KEY, name: 'b', WebSocket, signal })
    assert.equal(await listeners(), 0)
    const ended = end === 'close' ? connected.close({ signal }) : connected.drain(1000, { signal })
    assert.equal(await listeners(), 1)
    await ended
    assert.equal(await listeners(), 0)
  }
})

/** Runs this in a program of its own, with what it takes to see what is left; it prints JSON. */
async function runs (script) {
  const program = `
    import { setImmediate } from 'node:timers/promises'
    import WebSocket from 'ws'

    /** What is registered with the garbage collector, to be freed in the wasm if nobody else does. */
    const registered = new Set()
    globalThis.FinalizationRegistry = class extends FinalizationRegistry {
      register (target, held, token) { registered.add(token); super.register(target, held, token) }
      unregister (token) { registered.delete(token); return super.unregister(token) }
    }
    let memory
    const { instantiate } = WebAssembly
    WebAssembly.instantiate = async (...args) => {
      const made = await instantiate(...args)
      memory = Object.values(made.exports).find((it) => it instanceof WebAssembly.Memory)
      return made
    }
    const { connect, start } = await import('multichat')

    /** How many of these are still there, when all that can be collected has been. */
    const left = async (refs) => {
      for (let round = 0; round < 20 && refs.some((ref) => ref.deref()); round += 1) {
        await setImmediate()
        gc()
      }
      return refs.filter((ref) => ref.deref()).length
    }
    ${script}
  `
  const { code, stdout, stderr } = await execute(process.execPath, ['--expose-gc', '--input-type=module', '--eval', program])
  assert.deepEqual([code, stderr], [0, ''])
  return JSON.parse(stdout)
}

test('waits that are given up, of a client that goes on', async () => {
  const result = await runs(`
    const options = { url: 'ws://127.0.0.1:9/', key: 'k', name: 'a', WebSocket, outbox: { messages: 1 } }
    const client = start({ ...options, reconnect: { first: 600_000, longest: 600_000 } })
    client.send('never').catch(() => {})
    const refs = []
    const outcomes = new Set()
    const waits = async (isSooner) => {
      const controller = new AbortController()
      const all = ['ready', 'flush', 'online', 'closed'].map((wait) => client[wait]({ signal: controller.signal }))
      const loop = client.events({ signal: controller.signal })
      const gone = client.events()
      refs.push(...all.map((promise) => new WeakRef(promise)), new WeakRef(loop), new WeakRef(gone))
      if (!isSooner) await setImmediate()
      controller.abort()
      await gone.return()
      for (const { status } of await Promise.allSettled(all)) outcomes.add(status)
    }
    // Some of them before the wasm is there.
    await Promise.all(Array.from({ length: 10 }, () => waits(true)))
    for await (const { state } of client) if (state?.type === 'waiting') break
    const many = async () => { for (let round = 0; round < 2000; round += 1) await waits(round % 2 === 0) }
    await many()
    const [before, registeredBefore] = [memory.buffer.byteLength, registered.size]
    await many()
    const grown = [memory.buffer.byteLength - before, registered.size - registeredBefore]
    console.log(JSON.stringify({ outcomes: [...outcomes], grown, left: await left(refs), state: client.state.type }))
    await client.close()
  `)
  assert.deepEqual(result, { outcomes: ['rejected'], grown: [0, 0], left: 0, state: 'waiting' })
})

test('clients that have ended', async (t) => {
  const { url } = await router(t)
  const result = await runs(`
    const refs = { clients: [], sockets: [] }
    class Seen extends WebSocket {
      constructor (url) { super(url); refs.sockets.push(new WeakRef(this)) }
    }
    const live = async (number) => {
      const options = { url: '${url}', key: '${KEY}', name: 'a' + number, WebSocket: Seen }
      const client = number % 2 ? await connect(options) : start(options)
      refs.clients.push(new WeakRef(client))
      await client.send('hello')
      await client.close()
    }
    await live(0)
    await setImmediate()
    const before = registered.size
    for (let number = 1; number <= 20; number += 1) await live(number)
    await setImmediate()
    const grown = registered.size - before
    console.log(JSON.stringify({ clients: refs.clients.length, left: await left(refs.clients), grown, sockets: await left(refs.sockets) }))
  `)
  assert.deepEqual(result, { clients: 21, left: 0, grown: 0, sockets: 0 })
})
