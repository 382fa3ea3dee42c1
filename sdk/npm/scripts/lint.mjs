// Checks the package: the types of its sources, and what it looks like to those who install it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bin, home, main, run } from './tools.mjs'

await main(async () => {
  run(bin('tsc'), ['-p', '.', '--noEmit', '--emitDeclarationOnly', 'false'])
  if (!existsSync(join(home, 'dist/index.d.ts'))) run('node', ['scripts/build.mjs'])
  run(bin('publint'), ['--strict'])
  // The wasm is no module.
  run(bin('attw'), ['--pack', '.', '--profile', 'esm-only', '--quiet', '--exclude-entrypoints', './multichat.wasm'])
})
