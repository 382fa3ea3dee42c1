// Every snippet of the README: it is right by its types, and does what the text around it says.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import test from 'node:test'
import { connect } from 'multichat'
import WebSocket from 'ws'
import { execute, folderOf, program, scratch } from './support/project.mjs'
import { KEY, router } from './support/router.mjs'

const readme = readFileSync(join(scratch, 'README.md'), 'utf8')
const snippets = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code)
const snippet = (words) => {
  const found = snippets.filter((code) => code.includes(words))
  assert.equal(found.length, 1, `one snippet has ${words}`)
  return found[0]
}

/** Runs a snippet as a module in Node.js, with what stands there for the reader's own values put in. */
async function run (t, code, url, { before = '', after = '' } = {}) {
  // Of version 20 on, whether or not there is a WebSocket; what no bundler compiles, Node.js 20 does not know.
  const { transformSync } = (await import(join(folderOf('esbuild'), 'lib/main.js'))).default
  const filled = (before + code + after)
    .replaceAll(/'(ws:\/\/127\.0\.0\.1:6780|wss:\/\/chat\.example\.org)\/'/g, `'${url}'`)
    .replaceAll(/'the key( that the router printed)?'/g, `'${KEY}'`)
  const prelude = filled.includes("from 'ws'") ? '' : "import ws from 'ws'; globalThis.WebSocket ??= ws;"
  const file = join(scratch, `snippet-${snippets.indexOf(code)}.mjs`)
  const { code: compiled } = transformSync(filled, { format: 'esm', target: 'node20' })
  writeFileSync(file, prelude + compiled)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  child.stdout.setEncoding('utf8')
  const ended = once(child, 'exit')
  return {
    ended,
    /** What it prints next. */
    async says () {
      const text = once(child.stdout, 'data').then(([text]) => text)
      return Promise.race([text, ended.then(([code]) => { throw new Error(`it has ended: ${code}`) })])
    }
  }
}

async function watcher (t, url) {
  const client = await connect({ url, name: 'watcher', key: KEY, presence: true, WebSocket })
  t.after(() => client.close())
  const events = client.events()
  const next = async (type) => {
    for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) }) {
      if (event.type === type) return event
    }
  }
  const arrival = async (name) => { while ((await next('presence')).name !== name); }
  return { client, next, arrival }
}

test('the echo bot', async (t) => {
  const { url } = await router(t)
  const { client, next, arrival } = await watcher(t, url)
  const bot = snippet("name: 'echo'")
  await run(t, bot, url)
  await arrival('echo')
  // They hear each other, too.
  await run(t, bot.replace("'echo'", "'other'"), url)
  await arrival('other')
  await client.send('hello')
  for (const text of ['one', 'two']) {
    const { seq } = await client.send({ content: `!echo ${text}`, sender: { name: 'alice' } })
    // Whatever they made of what came before, they would have said by now.
    const answers = [await next('message'), await next('message')]
    assert.deepEqual(answers.map(({ content, replyTo }) => [content, replyTo]), [[text, seq], [text, seq]])
    assert.deepEqual(answers.map(({ source }) => source).toSorted(), ['echo', 'other'])
  }
})

test('ws', async (t) => {
  const { url } = await router(t)
  const { arrival } = await watcher(t, url)
  await run(t, snippet("from 'ws'"), url)
  await arrival('bot')
})

test('sending', async (t) => {
  const { url } = await router(t)
  const { next } = await watcher(t, url)
  const program = await run(t, snippet('await using'), url)
  const [code] = await program.ended
  assert.equal(code, 0)
  const heard = [await next('message'), await next('message'), await next('message'), await next('message')]
  assert.deepEqual(heard.map(({ content }) => content), ['hello', 'look at that', 'a cat', 'hello yourself'])
  assert.equal((await next('edit')).content, 'hello, all')
  assert.equal((await next('delete')).target, heard[0].seq)
})

/** A client for the snippets that go on with one. */
const joined = "import { connect } from 'multichat'\nconst client = await connect({ url: 'ws://127.0.0.1:6780/', name: 'x', key: 'the key', reconnect: { first: 1 } })\n"

test('what is not sent is handed back', async (t) => {
  const { url } = await router(t)
  const program = await run(t, snippet("fate === 'unknown'"), url, {
    before: `${joined}const text = ' '.repeat(2_000_000)\nconsole.warn = (...words) => console.log(JSON.stringify(words))\n`,
    after: 'await client.close()'
  })
  assert.match(await program.says(), /too many/)
})

test('listeners', async (t) => {
  const { url, stop } = await router(t)
  const { client, arrival } = await watcher(t, url)
  const program = await run(t, snippet('addEventListener'), url, { before: joined })
  await arrival('x')
  await client.send('hello')
  assert.equal(await program.says(), 'watcher hello\n')
  const waits = program.says()
  const restart = await stop()
  assert.match(await waits, /Next try in \d+ ms/)
  await restart()
})

test('all options', async (t) => {
  const { url } = await router(t)
  const { arrival } = await watcher(t, url)
  await run(t, snippet('history: 50'), url, { before: `globalThis.fetch = async () => new Response('${KEY}')\n` })
  await arrival('bot')
})

// It runs in test/bundles.test.mjs, in Chromium.
const inBrowser = snippet('multichat/slim')

test('all snippets are right by their types', async () => {
  const folder = join(scratch, 'snippets')
  mkdirSync(folder, { recursive: true })
  snippets.forEach((code, number) => {
    const declared = code.includes('connect') || code.includes('start') ? '' : "declare const client: import('multichat').Client\ndeclare const text: string\n"
    writeFileSync(join(folder, `${number}.ts`), `${declared}${code}\nexport {}\n`)
  })
  writeFileSync(join(folder, 'vite.d.ts'), "declare module '*?url' {\n  const url: string\n  export default url\n}\n")
  const settings = { strict: true, noEmit: true, target: 'es2024', module: 'esnext', moduleResolution: 'bundler', types: ['ws', 'node'], lib: ['es2024', 'dom', 'esnext.disposable'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: settings }))
  const { code, stdout } = await execute(program('tsc'), ['-p', folder])
  assert.equal(stdout, '')
  assert.equal(code, 0)
  assert.ok(inBrowser)
})
