// The real router, on a free port of this machine.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

export const KEY = 'k3y-of-the-tests'

/** Starts a router; `fields` are added to its config file. It is stopped when the test ends. */
export async function router (test, fields = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'multichat-router-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  const start = async (host) => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ 'ws-path': '/', host, 'secret-key': KEY, ...fields }))
    const child = spawn(process.env.MULTICHAT_SERVER, ['serve', '--config', join(folder, 'config.json')], {
      env: { ...process.env, MULTICHAT_LOG: 'info', MULTICHAT_LOG_FORMAT: undefined },
      stdio: ['ignore', 'ignore', 'pipe']
    })
    const ended = once(child, 'exit')
    const address = await new Promise((resolve, reject) => {
      let log = ''
      child.stderr.setEncoding('utf8').on('data', (text) => {
        log += stripVTControlCharacters(text)
        const found = /listening address=(\S+)/.exec(log)
        if (found) resolve(found[1])
      })
      child.on('exit', () => reject(new Error(`the router does not start:\n${log}`)))
    })
    return { address, stop: async (signal = 'SIGTERM') => { child.kill(signal); await ended } }
  }
  let running = await start('127.0.0.1:0')
  const { address } = running
  test.after(() => running?.stop('SIGKILL'))
  return {
    url: `ws://${address}/`,
    http: `http://${address}/`,
    port: Number(address.split(':').at(-1)),
    /** Ends it, and comes back at the same address when the function that this returns is called. */
    async stop (signal) {
      await running.stop(signal)
      running = undefined
      return async () => { running = await start(address) }
    }
  }
}
