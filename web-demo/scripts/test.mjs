// Runs the unit tests. Node.js 20 reads no TypeScript, so Vite makes JavaScript of it first.

import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const home = fileURLToPath(new URL('..', import.meta.url))
const tests = readdirSync(join(home, 'test')).filter((name) => name.endsWith('.test.ts'))
const out = join(home, 'build/test')

rmSync(out, { recursive: true, force: true })
await build({
  root: home,
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: {
    ssr: true,
    outDir: out,
    target: 'node20',
    sourcemap: 'inline',
    rolldownOptions: { input: tests.map((name) => join(home, 'test', name)) },
  },
})
const compiled = readdirSync(out).filter((name) => name.endsWith('.test.js'))
const flags = ['--enable-source-maps', '--test', ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, [...flags, ...compiled.map((name) => join(out, name))], {
  cwd: home,
  stdio: 'inherit',
})
process.exitCode = status ?? 1
