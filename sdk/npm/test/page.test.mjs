/* global clients */

// A plain page with modules, without a bundler; and what can go wrong in one.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { newPage, resultOf, serve } from './support/browser.mjs'
import { expected } from './support/expected.mjs'
import { installed, scratch } from './support/project.mjs'
import { KEY, router } from './support/router.mjs'

const importMap = '<script type="importmap">{ "imports": { "multichat": "/multichat/index.js" } }</script>'
const page = (script) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>page</title>${script}`

/** A page that runs this, with `options` for the router, and shows what it returns. */
const running = (script) => page(`<script type="module">
  const options = JSON.parse(decodeURIComponent(location.hash.slice(1)))
  const told = (error) => ({ code: error.code, retryable: error.retryable, explanation: error.explanation, message: error.message })
  const run = async () => { ${script} }
  run().then((result) => { globalThis.result = result ?? 'nothing' }, (error) => { globalThis.result = { error: told(error) } })
</script>`)

async function open (t, script, headers) {
  const { url } = await router(t, { 'allowed-origins': ['*'] })
  const address = await serve(t, join(installed, 'dist'), { '/index.html': running(script) }, headers)
  const { page, problems } = await newPage(t)
  return { result: await resultOf(page, `${address}/index.html`, { url, key: KEY }), problems, page }
}

test('a plain module page runs the session', async (t) => {
  const { url } = await router(t, { 'allowed-origins': ['*'] })
  const { readFile } = await import('node:fs/promises')
  const pages = {
    '/index.html': page(`${importMap}<script type="module" src="/page.mjs"></script>`),
    '/page.mjs': await readFile(join(scratch, 'test/app/page.mjs')),
    '/session.mjs': await readFile(join(scratch, 'test/app/session.mjs')),
    '/multichat/index.js': await readFile(join(installed, 'dist/index.js'))
  }
  const { page: chromium, problems } = await newPage(t)
  const result = await resultOf(chromium, `${await serve(t, scratch, pages)}/index.html`, { url, key: KEY })
  assert.deepEqual(result, { said: expected })
  assert.deepEqual(problems, [])
})

test('it works under a strict policy that allows wasm', async (t) => {
  const policy = "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src ws://127.0.0.1:*"
  const { result } = await open(t, `
    const { connect } = await import('/index.js')
    const client = await connect({ ...options, name: 'page' })
    return [await client.send('hello').then(({ type }) => type), await client.close()]
  `, { 'content-security-policy': policy })
  assert.deepEqual(result, ['logged', undefined])
})

test('a policy that blocks wasm is said in plain words', async (t) => {
  const policy = "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src ws://127.0.0.1:*"
  const { result } = await open(t, `
    const { connect, start } = await import('/index.js')
    const client = start({ ...options, name: 'page' })
    const sent = await client.send('hello').catch(told)
    return { sent, closed: told((await client.closed()).cause), connected: await connect({ ...options, name: 'page' }).catch(told) }
  `, { 'content-security-policy': policy })
  for (const { code, explanation, retryable } of Object.values(result)) {
    assert.equal(code, 'wasm-blocked')
    assert.match(explanation, /'wasm-unsafe-eval' to its script-src/)
    assert.equal(retryable, false)
  }
})

test('a router that is not there', async (t) => {
  const { result } = await open(t, `
    const { connect } = await import('/index.js')
    return told(await connect({ ...options, url: 'ws://127.0.0.1:9/', name: 'page' }).catch((error) => error))
  `)
  assert.equal(result.code, 'unreachable')
  assert.equal(result.retryable, true)
})

test('a router that does not allow the page', async (t) => {
  const { url } = await router(t)
  const address = await serve(t, join(installed, 'dist'), { '/index.html': running(`
    const { connect } = await import('/index.js')
    return told(await connect({ ...options, name: 'page' }).catch((error) => error))
  `) })
  const { page } = await newPage(t)
  const result = await resultOf(page, `${address}/index.html`, { url, key: KEY })
  assert.equal(result.code, 'unreachable')
  assert.match(result.explanation, /this page may not connect/)
})

test('the slim entry takes a URL, an answer, bytes and a module', async (t) => {
  const { result } = await open(t, `
    const clients = []
    for (const wasm of ['/multichat.wasm', fetch('/multichat.wasm'), (await fetch('/multichat.wasm')).arrayBuffer(), WebAssembly.compileStreaming(fetch('/multichat.wasm'))]) {
      // Each by a copy of its own: the first wasm that is given counts.
      const { connect } = await import('/slim.js?' + clients.length)
      clients.push(await connect({ ...options, name: 'page', wasm }))
    }
    return Promise.all(clients.map(async (client) => (await client.send('hello')).seq))
  `)
  assert.deepEqual(result.toSorted(), [1, 2, 3, 4])
})

test('a wasm that is not there, and is the next time', async (t) => {
  const { result } = await open(t, `
    const { connect } = await import('/slim.js')
    const missing = await connect({ ...options, name: 'page', wasm: '/nothing.wasm' }).catch(told)
    const client = await connect({ ...options, name: 'page', wasm: '/multichat.wasm' })
    return [missing, client.state.type]
  `)
  assert.equal(result[0].code, 'wasm-unavailable')
  assert.match(result[0].explanation, /nothing\.wasm/)
  assert.equal(result[1], 'online')
})

test('clients of a page share one instance, and the page wakes them when it is online again', async (t) => {
  const { url, stop } = await router(t, { 'allowed-origins': ['*'] })
  const address = await serve(t, join(installed, 'dist'), { '/index.html': running(`
    const { connect } = await import('/index.js')
    let instances = 0
    const { instantiate } = WebAssembly
    WebAssembly.instantiate = (...args) => { instances += 1; return instantiate(...args) }
    const reconnect = { first: 600_000, longest: 600_000 }
    globalThis.clients = await Promise.all(['a', 'b'].map((name) => connect({ ...options, name, reconnect })))
    return instances
  `) })
  const { page } = await newPage(t)
  assert.equal(await resultOf(page, `${address}/index.html`, { url, key: KEY }), 1)
  const restart = await stop()
  await page.waitForFunction(() => clients.every(({ state }) => state.type === 'waiting'))
  await restart()
  await page.evaluate(() => { dispatchEvent(new Event('online')) })
  await page.waitForFunction(() => clients.every(({ state }) => state.type === 'online'))
})
