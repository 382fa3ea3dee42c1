// A user's TypeScript against the installed types: right uses compile, and wrong ones do not, in every setting
// that people have.

import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { execute, program, scratch } from './support/project.mjs'

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
