// A wasm that breaks down, as it would by a bug of ours: an error then, for everyone who waits, and no hang.

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

/** Runs this with a broken wasm; it prints JSON. */
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
  const file = await broken((name) => /flush$/.test(name))
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
