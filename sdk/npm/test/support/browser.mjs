// Chromium without a window, and a small web server for the pages.

import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { tool } from './project.mjs'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

let browser
let users = 0

/** A fresh page; what it throws, and what it logs as an error, is in `problems`. */
export async function newPage (test) {
  users += 1
  const { default: { chromium } } = await tool('playwright-core')
  browser ??= chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
  })
  const context = await (await browser).newContext()
  test.after(async () => {
    await context.close()
    users -= 1
    if (users === 0) {
      const last = browser
      browser = undefined
      await (await last).close()
    }
  })
  const page = await context.newPage()
  const problems = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()) })
  return { page, problems }
}

/** Serves a folder, and `pages` by their paths, with these headers. */
export async function serve (test, folder, pages = {}, headers = {}) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname)
    try {
      const body = pages[path] ?? await readFile(join(folder, path))
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/html', ...headers })
      response.end(body)
    } catch {
      response.writeHead(404, headers)
      response.end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  test.after(() => { server.closeAllConnections(); server.close() })
  return `http://127.0.0.1:${server.address().port}`
}

/** Opens a page that says what came of it by setting `result`. */
export async function resultOf (page, url, { url: router, key }) {
  await page.goto(`${url}#${encodeURIComponent(JSON.stringify({ url: router, key }))}`)
  const result = await page.waitForFunction(() => globalThis.result, null, { timeout: 30_000 })
  return result.jsonValue()
}
