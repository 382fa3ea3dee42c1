// How many messages a second a page receives and sends in Chromium: by the package, and by hand on a WebSocket with
// JSON.parse, on the same work and by turns. `npm run bench -- --help` tells what can be chosen.

import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, stripVTControlCharacters } from 'node:util'
import playwright from 'playwright-core'
import { chromium, Fault, home, main, repository, run, target } from '../scripts/tools.mjs'

const HELP = `Messages per second of a page in Chromium, by the package and by hand.

  --rounds NUMBER     how often each way does each work (7)
  --messages NUMBER   of one round (10000)
  --bytes NUMBER      of a message's text (64)
  --limit RATIO       fail if by hand is more than so many times faster (none)`

const KEY = 'k3y-of-the-bench'

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const shown = (rate) => String(Math.round(rate)).padStart(7)

await main(async () => {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '7' },
      messages: { type: 'string', default: '10000' },
      bytes: { type: 'string', default: '64' },
      limit: { type: 'string', default: 'Infinity' }
    }
  })
  if (values.help) return console.log(HELP)
  const [rounds, messages, bytes, limit] = ['rounds', 'messages', 'bytes', 'limit'].map((name) => {
    const number = Number(values[name])
    if (!(number > 0)) throw new Fault(`--${name} has to be a number above 0`)
    return number
  })
  const executablePath = chromium()
  run('cargo', ['build', '--locked', '--quiet', '--release', '--package', 'multichat-server'], { cwd: repository })

  const ends = []
  try {
    const url = await router(messages, ends)
    const address = await serve(ends)
    const browser = await playwright.chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
    })
    ends.push(() => browser.close())
    const page = await browser.newPage()
    await page.goto(address)
    const options = { url, key: KEY, messages, text: 'x'.repeat(bytes) }
    const ask = (work, way) => page.evaluate(([work, way, options]) => globalThis.measure(work, way, options), [work, way, options])
    const tooSlow = []
    for (const work of ['send', 'receive']) {
      const rates = { package: [], hand: [] }
      // The first round of each warms up.
      for (let round = 0; round <= rounds; round += 1) {
        const ways = round % 2 ? ['package', 'hand'] : ['hand', 'package']
        for (const way of ways) {
          const rate = await ask(work, way)
          if (round > 0) rates[way].push(rate)
        }
      }
      const [ours, theirs] = [median(rates.package), median(rates.hand)]
      const ratio = theirs / ours
      if (ratio > limit) tooSlow.push(work)
      console.log(`${work.padEnd(8)} package ${shown(ours)}/s   by hand ${shown(theirs)}/s   by hand is ${ratio.toFixed(2)} times as fast`)
    }
    if (tooSlow.length) throw new Fault(`more than ${limit} times: ${tooSlow.join(', ')}`)
  } finally {
    for (const end of ends.reverse()) await end()
  }
})

/** A router whose log holds all messages of a round. */
async function router (messages, ends) {
  const folder = mkdtempSync(join(tmpdir(), 'multichat-bench-'))
  ends.push(() => rmSync(folder, { recursive: true }))
  const limits = { 'log-entries': 2 * messages, 'log-bytes': 2 ** 30 }
  const config = { 'ws-path': '/', host: '127.0.0.1:0', 'secret-key': KEY, 'allowed-origins': ['*'], limits }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const program = join(target(), 'release/multichat-server')
  const child = spawn(program, ['serve', '--config', join(folder, 'config.json')], { stdio: ['ignore', 'ignore', 'pipe'] })
  ends.push(() => new Promise((resolve) => { child.on('exit', resolve); child.kill() }))
  return new Promise((resolve, reject) => {
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log += stripVTControlCharacters(text)
      const found = /listening address=(\S+)/.exec(log)
      if (found) resolve(`ws://${found[1]}/`)
    })
    child.on('exit', () => reject(new Fault(`the router does not start:\n${log}`)))
  })
}

/** A page that has both ways. */
async function serve (ends) {
  const files = {
    '/': ['text/html', '<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="/page.mjs"></script>'],
    '/page.mjs': ['text/javascript', readFileSync(join(home, 'bench/page.mjs'))],
    '/hand.mjs': ['text/javascript', readFileSync(join(home, 'bench/hand.mjs'))],
    '/multichat.js': ['text/javascript', readFileSync(join(home, 'dist/index.js'))]
  }
  const server = createServer((request, response) => {
    const [type, body] = files[request.url] ?? ['text/plain', '']
    response.writeHead(200, { 'content-type': type }).end(body)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => { server.closeAllConnections(); server.close() })
  return `http://127.0.0.1:${server.address().port}/`
}
