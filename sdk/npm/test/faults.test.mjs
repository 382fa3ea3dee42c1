// A wasm that breaks down, as it would by a bug of ours, or cannot be had: an error then, for everyone who waits, and
// no hang.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { execute, installed, scratch, tool } from './support/project.mjs'
import { KEY, router } from './support/router.mjs'

/** The package's wasm, of which the exports of these names do nothing but break down. */
async function broken (matches) {
  const { default: binaryen } = await tool('binaryen')
  const wasm = binaryen.readBinary(readFileSync(join(installed, 'dist/multichat.wasm')))
  const names = []
  const long = new Map(JSON.parse(readFileSync(join(process.env.MULTICHAT_NPM, 'build/exports.json'))).map(([long, short]) => [short, long]))
  for (let index = 0; index < wasm.getNumExports(); index += 1) {
    const { name, value, kind } = binaryen.getExportInfo(wasm.getExportByIndex(index))
    if (kind !== binaryen.ExternalFunction || !matches(long.get(name))) continue
    names.push(name)
    binaryen.Function(wasm.getFunction(value)).body = wasm.unreachable()
  }
  assert.notEqual(names.length, 0)
  const file = join(scratch, 'broken.wasm')
  writeFileSync(file, wasm.emitBinary())
  return file
}

/** Runs this with such a wasm; it prints JSON. */
async function runs (t, file, script) {
  const { url } = await router(t)
  const program = `
    import { readFile } from 'node:fs/promises'
    import { connect, start } from 'multichat/slim'
    import WebSocket from 'ws'
    const options = { url: '${url}', key: '${KEY}', name: 'a', WebSocket, wasm: readFile('${file}') }
    const told = ({ code, fate, unsent, explanation, cause }) => ({ code, fate, unsent, explanation, cause: String(cause) })
    ${script}
  `
  const { code, stdout, stderr } = await execute(process.execPath, ['--input-type=module', '--eval', program])
  assert.deepEqual([code, stderr], [0, ''])
  return JSON.parse(stdout)
}

test('while something is asked of it', async (t) => {
  const file = await broken((name) => /core_wait$/.test(name))
  const result = await runs(t, file, `
    const client = await connect(options)
    const other = await connect({ ...options, name: 'b' })
    const sent = other.send('hello').catch(told)
    await client.flush()
    const [first, second] = [await client.closed(), await other.closed()]
    console.log(JSON.stringify([told(first.cause), told(second.cause), await sent, told(await connect(options).catch((error) => error))]))
  `)
  assert.deepEqual(result.map(({ code }) => code), ['internal', 'internal', 'internal', 'internal'])
  assert.match(result[0].explanation, /report it/)
  assert.match(result[0].cause, /RuntimeError: unreachable/)
  assert.deepEqual([result[2].fate, result[2].unsent.content], ['unknown', 'hello'])
})

test('while it is called back', async (t) => {
  const file = await broken((name) => name.includes('invoke'))
  const result = await runs(t, file, `
    const client = start(options)
    const sent = client.send('hello').catch(told)
    const { cause } = await client.closed()
    console.log(JSON.stringify([told(cause), await sent]))
  `)
  assert.deepEqual(result.map(({ code }) => code), ['internal', 'internal'])
})

test('while a listener asks something of it: what is told with that comes once', async (t) => {
  const file = await broken((name) => /core_wait$/.test(name))
  const heard = await runs(t, file, `
    const speaker = await connect(options)
    for (let number = 1; number <= 50; number += 1) await speaker.send(String(number))
    const heard = []
    const client = start({ ...options, name: 'b', history: 50 })
    client.addEventListener('message', ({ detail }) => {
      heard.push(Number(detail.content))
      if (detail.seq === 10) client.flush()
    })
    await client.closed()
    console.log(JSON.stringify(heard))
  `)
  assert.ok(heard.length >= 10)
  assert.deepEqual(heard, heard.map((_, index) => index + 1))
})

const whole = () => join(installed, 'dist/multichat.wasm')

test('a wasm that is not there, cut off, of another version, or none', async (t) => {
  const result = await runs(t, whole(), `
    // It wants something of its page that there is not.
    const other = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 10, 1, 1, 97, 4, 110, 111, 112, 101, 0, 0)
    const wasms = {
      rejected: () => Promise.reject(new TypeError('fetch failed')),
      cut: async () => (await readFile('${whole()}')).subarray(0, 50_000),
      other: () => other,
      compiled: () => WebAssembly.compile(other),
      empty: () => other.subarray(0, 8),
      missing: () => undefined
    }
    const results = {}
    for (const [name, wasm] of Object.entries(wasms)) {
      const { cause } = await start({ ...options, wasm: wasm() }).closed()
      results[name] = [cause.name, cause.code, cause.retryable, cause.explanation]
    }
    const client = await connect({ ...options, wasm: wasms.cut().then(() => options.wasm) })
    await client.close()
    console.log(JSON.stringify(results))
  `)
  const { rejected, ...others } = result
  assert.match(rejected[3], /could not be loaded: TypeError: fetch failed/)
  for (const [name, [,,, explanation]] of Object.entries(others)) assert.match(explanation, /not the wasm of this version, or incomplete/, name)
  assert.deepEqual(
    Object.entries(result).map(([name, [error, code, isRetryable]]) => [name, error, code, isRetryable]),
    [['rejected', true], ['cut', true], ['other', false], ['compiled', false], ['empty', false], ['missing', false]]
      .map(([name, isRetryable]) => [name, 'MultichatError', 'wasm-unavailable', isRetryable])
  )
})

// Chromium's is in test/page.test.mjs.
test('a wasm that may not run, as other browsers say it', async (t) => {
  const codes = await runs(t, whole(), `
    const codes = []
    // Node.js fetches by a wasm of its own, which it makes behind our back: it has it once something was fetched.
    await (await fetch(options.url.replace('ws', 'http'))).text()
    for (const error of [new WebAssembly.CompileError('call to WebAssembly.compile() blocked by CSP'), new EvalError('refused')]) {
      WebAssembly.compile = async () => { throw error }
      codes.push(told((await start(options).closed()).cause).code)
    }
    globalThis.WebAssembly = undefined
    codes.push(told((await start(options).closed()).cause).code)
    console.log(JSON.stringify(codes))
  `)
  assert.deepEqual(codes, ['wasm-blocked', 'wasm-blocked', 'wasm-blocked'])
})

test('a wasm that fails after the client was closed', async (t) => {
  const result = await runs(t, whole(), `
    let fail
    const wasm = new Promise((resolve, reject) => { fail = reject })
    const client = start({ ...options, wasm })
    const states = []
    client.addEventListener('state', ({ detail: { state } }) => states.push(state))
    const sent = client.send('hello').catch(told)
    await client.close()
    // Whoever shares it hears of its failure behind that one.
    const other = start({ ...options, wasm }).closed()
    fail(new Error('too late'))
    console.log(JSON.stringify([states, (await sent).code, told((await other).cause).code]))
  `)
  assert.deepEqual(result, [[{ type: 'closed', by: 'client' }], 'closed', 'wasm-unavailable'])
})
