// The session in Chromium, through each bundler without any set-up, as a newcomer would begin.

import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { newPage, resultOf, serve } from './support/browser.mjs'
import { expected } from './support/expected.mjs'
import { scratch, tool } from './support/project.mjs'
import { KEY, router } from './support/router.mjs'

/** A folder in the project with the app's sources. */
function sources (name) {
  const folder = join(scratch, name)
  cpSync(join(scratch, 'test/app'), folder, { recursive: true })
  return folder
}

async function runs (t, page, address) {
  const { url } = await router(t, { 'allowed-origins': ['*'] })
  const result = await resultOf(page.page, address, { url, key: KEY })
  assert.deepEqual(result, { said: expected })
  // What the session does wrong on purpose, a browser does not complain about.
  assert.deepEqual(page.problems, [])
}

test('Vite, built', async (t) => {
  const folder = sources('vite')
  const { build } = await tool('vite')
  await build({ root: folder, configFile: false, logLevel: 'silent' })
  await runs(t, await newPage(t), `${await serve(t, join(folder, 'dist'))}/index.html`)
})

test('Vite, while developing', async (t) => {
  const folder = sources('vite-dev')
  const { createServer } = await tool('vite')
  const server = await createServer({ root: folder, configFile: false, logLevel: 'silent', server: { host: '127.0.0.1', port: 0 } })
  t.after(() => server.close())
  await server.listen()
  await runs(t, await newPage(t), `http://127.0.0.1:${server.httpServer.address().port}/index.html`)
})

test('webpack', async (t) => {
  const folder = sources('webpack')
  const { default: webpack } = await tool('webpack')
  const stats = await new Promise((resolve, reject) => {
    const options = { context: folder, entry: './page.mjs', mode: 'production', output: { path: join(folder, 'dist') } }
    webpack(options, (error, stats) => error ? reject(error) : resolve(stats))
  })
  assert.deepEqual(stats.toJson({ errors: true }).errors, [])
  const pages = { '/index.html': html('<script src="main.js"></script>') }
  await runs(t, await newPage(t), `${await serve(t, join(folder, 'dist'), pages)}/index.html`)
})

test('esbuild', async (t) => {
  const folder = sources('esbuild')
  const { build } = await tool('esbuild')
  const { warnings } = await build({ entryPoints: [join(folder, 'page.mjs')], bundle: true, outfile: join(folder, 'dist/main.js'), logLevel: 'silent' })
  assert.deepEqual(warnings, [])
  const pages = { '/index.html': html('<script src="main.js"></script>') }
  await runs(t, await newPage(t), `${await serve(t, join(folder, 'dist'), pages)}/index.html`)
})

test('Vite with the slim entry, which serves the wasm as an asset', async (t) => {
  const folder = sources('vite-slim')
  mkdirSync(join(folder, 'src'), { recursive: true })
  const { build } = await tool('vite')
  await build({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    build: { assetsInlineLimit: 0 },
    resolve: { alias: [{ find: /^multichat$/, replacement: join(folder, 'slim.mjs') }] }
  })
  await runs(t, await newPage(t), `${await serve(t, join(folder, 'dist'))}/index.html`)
})

const html = (script) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>session</title>${script}`
