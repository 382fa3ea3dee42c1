// Builds the page into dist/, each file also compressed, as the router sends it. Prints what it weighs, and fails if
// that is too much.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'

/** The most bytes by brotli, of all that the page loads together. */
const LIMIT = 150_000

const home = fileURLToPath(new URL('..', import.meta.url))
const dist = join(home, 'dist')

await build({ root: home, logLevel: 'warn' })

let sum = 0
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue
  const file = join(entry.parentPath, entry.name)
  const bytes = readFileSync(file)
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  const compressed = brotliCompressSync(bytes, { params })
  writeFileSync(`${file}.br`, compressed)
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
  const { length } = compressed
  sum += length
  console.log(`${entry.name.padEnd(28)}  raw ${String(bytes.length).padStart(6)}  brotli ${String(length).padStart(6)}`)
}
console.log(`${'all'.padEnd(28)}  brotli ${sum} (at most ${LIMIT})`)
if (sum > LIMIT) {
  console.error('The page is too heavy.')
  process.exitCode = 1
}
