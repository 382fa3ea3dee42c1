// The real router, on a free port of this machine, with the page as it was built.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { dist, server } from './built.ts'

export const KEY = 'k3y-of-the-tests'

export class Router {
  /** All that it has logged, in whatever runs. */
  log = ''
  readonly #folder = mkdtempSync(join(tmpdir(), 'multichat-page-'))
  readonly #fields: object
  #host = '127.0.0.1:0'
  #process: ChildProcess | undefined
  #isOver: Promise<unknown> = Promise.resolve()

  private constructor(fields: object) {
    this.#fields = fields
  }

  /** Starts one; `fields` are added to its config file. */
  static async start(fields: object = {}): Promise<Router> {
    const router = new Router(fields)
    await router.restart()
    return router
  }

  /** Its address, a host and a port. */
  get host(): string {
    return this.#host
  }

  get port(): number {
    return Number(this.#host.split(':').at(-1))
  }

  /** The page's address. */
  get page(): string {
    return `http://${this.#host}/`
  }

  /** Where clients connect. */
  get url(): string {
    return `ws://${this.#host}/`
  }

  /** Has it stand still: connections stay, and nothing comes of what is sent. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  /** Ends it, at once or by its leave. */
  async stop(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    this.#process?.kill(signal)
    await this.#isOver
  }

  /** Starts it again at the same address, with a new log; `fields` are added to its config file this once. */
  async restart(fields: object = {}): Promise<void> {
    const config = { 'ws-path': '/', host: this.#host, 'secret-key': KEY, 'web-root': dist, ...this.#fields, ...fields }
    const file = join(this.#folder, 'config.json')
    writeFileSync(file, JSON.stringify(config))
    const { MULTICHAT_CONFIG: _1, MULTICHAT_WEB_ROOT: _2, MULTICHAT_LOG_FORMAT: _3, ...env } = process.env
    const child = spawn(server, ['serve', '--config', file], {
      env: { ...env, MULTICHAT_LOG: 'debug' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    this.#isOver = once(child, 'close')
    let log = ''
    this.#host = await new Promise((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.log += text
        log += stripVTControlCharacters(text)
        const found = /listening address=(\S+)/.exec(log)?.[1]
        if (found) resolve(found)
      })
      child.on('error', reject)
      child.on('close', () => reject(new Error(`the router does not start:\n${log}`)))
    })
  }

  /** Ends it, and leaves nothing behind. */
  async end(): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
