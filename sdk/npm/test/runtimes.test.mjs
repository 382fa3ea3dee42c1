// The session in every runtime that is no browser.

import assert from 'node:assert/strict'
import test from 'node:test'
import { expected } from './support/expected.mjs'
import { execute, program, scratch } from './support/project.mjs'
import { KEY, router } from './support/router.mjs'

const [major] = process.versions.node.split('.').map(Number)

async function runs (t, command, args, more = []) {
  const { url } = await router(t)
  const { code, stdout, stderr } = await execute(command, [...args, 'test/app/run.mjs', url, KEY, ...more])
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), expected)
}

test('Node.js with ws', (t) => runs(t, process.execPath, [], ['ws']))

// Of version 20 behind a flag.
test('Node.js with a WebSocket of its own', (t) =>
  runs(t, process.execPath, major < 22 ? ['--experimental-websocket'] : []))

test('Deno', (t) => runs(t, program('deno'), ['run', '--quiet', '--no-lock', '--node-modules-dir=manual', '--allow-net', `--allow-read=${scratch}`]))

test('Bun', (t) => runs(t, program('bun'), ['run', '--no-install']))
