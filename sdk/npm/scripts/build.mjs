// Builds the package into dist/: Rust to wasm, its glue and the TypeScript to one file each, and their types.
// Prints the sizes, and fails if they have grown.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { build } from 'esbuild'
import { encode } from './encode.mjs'
import { bin, Fault, home, main, repository, run, target, wasmBindgen } from './tools.mjs'

/**
 * The most bytes: as they are, and by brotli. This is what was reached, to the next thousand, so that it does not
 * grow unseen. Beyond 150,000 and 50,000 for the wasm, and 65,000 for the whole entry, it is never to be.
 */
const LIMITS = {
  'multichat.wasm': { raw: 122_000, brotli: 48_000 },
  'index.js': { brotli: 57_000 },
  'slim.js': { brotli: 7_000 }
}

/** The types that are public; the others are of no use to anybody. */
const TYPES = ['index.d.ts', 'slim.d.ts', 'client.d.ts', 'error.d.ts', 'types.d.ts']

/** What made it smallest. */
const OPTIMIZE = ['-Oz', '--flatten', '--rereloop', '-Oz', '-Oz']

/**
 * The standard library is compiled with the rest, from its source. As it comes, it has the texts of all panics in it,
 * and all that formats them, which is a sixth of what a page loads. Nobody would see them: a wasm that panics ends with
 * a trap, whatever it says (see src/wasm.ts).
 */
const STANDARD_LIBRARY = ['-Zbuild-std=std,panic_abort', '-Zbuild-std-features=optimize_for_size']
const FLAGS = ['-Zunstable-options', '-Cpanic=immediate-abort', '-Zlocation-detail=none', '-Zfmt-debug=none']

/** Nothing later than what every browser of the last years has. */
const FEATURES = [
  'bulk-memory', 'mutable-globals', 'sign-ext', 'nontrapping-float-to-int', 'multivalue', 'reference-types'
]

const work = join(home, 'build')
const dist = join(home, 'dist')

await main(async () => {
  rmSync(work, { recursive: true, force: true })
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist, { recursive: true })
  compile()
  await bundle()
  types()
  cpSync(join(repository, 'LICENSE'), join(home, 'LICENSE'))
  weigh()
})

function compile () {
  const cli = wasmBindgen()
  const profile = ['--target', 'wasm32-unknown-unknown', '--profile', 'wasm']
  run('cargo', ['rustc', '--locked', '--package', 'multichat', '--lib', '--crate-type', 'cdylib', '--features', 'js', ...profile, ...STANDARD_LIBRARY], {
    cwd: repository,
    // Of the very compiler that rust-toolchain.toml names, so what it calls unstable is the same at each build.
    env: { ...process.env, RUSTC_BOOTSTRAP: '1', RUSTFLAGS: undefined, CARGO_ENCODED_RUSTFLAGS: FLAGS.join('\x1f') }
  })
  const compiled = join(target(), 'wasm32-unknown-unknown/wasm/multichat.wasm')
  run(cli, [compiled, '--out-dir', work, '--target', 'bundler', '--no-typescript', '--remove-name-section', '--remove-producers-section'])
  const features = FEATURES.map((feature) => `--enable-${feature}`)
  const names = ['--minify-imports-and-exports-and-modules', join(work, 'multichat_bg.wasm'), '-o', join(dist, 'multichat.wasm')]
  shorten(JSON.parse(run(bin('wasm-opt'), [...OPTIMIZE, ...features, ...names], { output: 'pipe' })))
}

/** Has the glue use the short names that the wasm has now for what each has of the other. */
function shorten ({ imports, exports }) {
  const file = join(work, 'multichat_bg.js')
  const short = new Map(exports)
  const glue = readFileSync(file, 'utf8').replaceAll(/\bwasm\.(\w+)/g, (_, name) => `wasm.${short.get(name)}`)
  writeFileSync(file, glue)
  const members = imports.map(([, name, short]) => `  ${JSON.stringify(short)}: glue.${name},\n`)
  const begin = short.get('__wbindgen_start')
  writeFileSync(join(work, 'imports.js'), `import * as glue from './multichat_bg.js'
export default {\n${members.join('')}}
export const begin = (exports) => exports.${begin}()
`)
  // For the tests.
  writeFileSync(join(work, 'exports.json'), JSON.stringify(exports))
}

async function bundle () {
  const wasm = encode(readFileSync(join(dist, 'multichat.wasm')))
  const entry = (name, more) => build({
    entryPoints: [join(home, `src/${name}.ts`)],
    outdir: dist,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    charset: 'utf8',
    minify: true,
    // Node.js shows the line of what was thrown: that should be no page.
    lineLimit: 100,
    legalComments: 'none',
    alias: { 'multichat-glue': join(work, 'multichat_bg.js'), 'multichat-imports': join(work, 'imports.js') },
    // The glue's `WebSocket`, too, is then what the options say.
    inject: [join(home, 'src/socket.ts')],
    logLevel: 'warning',
    ...more
  })
  await entry('slim')
  await entry('index', { banner: { js: `const MULTICHAT_WASM='${wasm}';` } })
}

function types () {
  run(bin('tsc'), ['-p', '.'])
  for (const file of readdirSync(dist)) {
    if (file.endsWith('.d.ts') && !TYPES.includes(file)) rmSync(join(dist, file))
  }
}

function weigh () {
  const tooLarge = []
  for (const [file, limit] of Object.entries(LIMITS)) {
    const bytes = readFileSync(join(dist, file))
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
    const size = { raw: bytes.length, brotli: brotliCompressSync(bytes, { params }).length }
    const shown = Object.entries(size).map(([how, size]) => {
      if (size > limit[how]) tooLarge.push(`${file} (${how})`)
      return `${how} ${size}${how in limit ? ` (at most ${limit[how]})` : ''}`
    })
    console.log(`${file.padEnd(14)}  ${shown.join('  ')}`)
  }
  if (tooLarge.length) throw new Fault(`Larger than before: ${tooLarge.join(', ')}`)
}
