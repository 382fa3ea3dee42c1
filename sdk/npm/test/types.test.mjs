// A user's TypeScript against the installed types: right uses compile, and wrong ones do not, in every setting
// that people have.

import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { execute, installed, program, scratch } from './support/project.mjs'

const SETTINGS = {
  'a bundler, with the DOM': { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'], types: [] },
  'Node.js, without the DOM': { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022'], types: ['node', 'ws'] },
  'everything, as strict as can be': {
    module: 'nodenext',
    moduleResolution: 'nodenext',
    lib: ['esnext', 'dom'],
    types: ['node', 'ws'],
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true
  }
}

for (const [name, settings] of Object.entries(SETTINGS)) {
  test(name, async () => {
    const folder = join(scratch, `types-${Object.keys(SETTINGS).indexOf(name)}`)
    cpSync(join(scratch, 'test/types'), folder, { recursive: true })
    const files = settings.types.includes('ws') ? ['uses.ts', 'ws.ts'] : ['uses.ts']
    const compilerOptions = { strict: true, noEmit: true, target: 'es2022', skipLibCheck: false, ...settings }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const { code, stdout } = await execute(program('tsc'), ['-p', folder])
    assert.equal(stdout, '')
    assert.equal(code, 0)
  })
}

/** The words that these functions of a Rust file give. */
function words (file, ...functions) {
  const source = readFileSync(join(process.env.MULTICHAT_NPM, '../src', file), 'utf8')
  return functions.flatMap((name) => {
    const body = new RegExp(`^    pub (const )?fn ${name}\\(&?self\\).*?^    }$`, 'ms').exec(source)[0]
    return [...body.matchAll(/=> "([a-z0-9-]+)"/g)].map(([, word]) => word)
  })
}

test('every code is among the types', () => {
  const type = /type ErrorCode =(.*?);/s.exec(readFileSync(join(installed, 'dist/error.d.ts'), 'utf8'))[1]
  const typed = new Set([...type.matchAll(/'([a-z0-9-]+)'/g)].map(([, code]) => code))
  // A page has no certificates to trust, no tokio, and is not told of what comes in place of a WebSocket.
  const native = ['invalid-roots', 'no-runtime', 'tls', 'rejected']
  const codes = [
    ...words('session/error.rs', 'code').filter((code) => !native.includes(code)),
    ...words('session/send.rs', 'code'),
    ...words('protocol/close.rs', 'reason'),
    ...words('protocol/words.rs', 'as_str').filter((word) => /-/.test(word))
  ]
  assert.ok(codes.length > 40, `there are ${codes.length}`)
  assert.deepEqual(codes.filter((code) => !typed.has(code)), [])
})
