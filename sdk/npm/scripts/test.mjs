// Tests the package as it is installed: packs it, installs the tarball in a folder of its own outside of the
// repository, and runs the tests there, where `import 'multichat'` is what a user gets. Arguments name tests:
//
//     npm test -- node page

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, Fault, home, main, repository, run, target } from './tools.mjs'

/** What the scratch project has beside the package: what a bridge on Node.js 20 has. */
const BESIDE = ['ws', '@types/ws', '@types/node']

await main(async () => {
  const browser = chromium()
  run('cargo', ['build', '--locked', '--quiet', '--package', 'multichat-server'], { cwd: repository })
  const scratch = mkdtempSync(join(tmpdir(), 'multichat-npm-'))
  try {
    const packed = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], { output: 'pipe' })
    const tarball = Object.values(JSON.parse(packed))[0].filename
    writeFileSync(join(scratch, 'package.json'), '{ "private": true, "type": "module" }\n')
    const beside = BESIDE.map((name) => join(home, 'node_modules', name))
    const quietly = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', '--prefer-offline', '--install-links']
    run('npm', ['install', ...quietly, join(scratch, tarball), ...beside], { cwd: scratch, output: 'ignore' })
    cpSync(join(home, 'test'), join(scratch, 'test'), { recursive: true })
    cpSync(join(home, 'README.md'), join(scratch, 'README.md'))
    test(scratch, browser)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
})

function test (scratch, browser) {
  const chosen = process.argv.slice(2)
  const all = readdirSync(join(scratch, 'test')).filter((name) => name.endsWith('.test.mjs'))
  const files = all.filter((name) => !chosen.length || chosen.includes(name.replace('.test.mjs', '')))
  if (!files.length) throw new Fault(`There are no such tests. There are: ${all.join(' ')}`)
  const { status } = spawnSync('node', ['--test', '--test-concurrency=1', '--test-timeout=60000', ...files.map((name) => join('test', name))], {
    cwd: scratch,
    stdio: 'inherit',
    env: {
      ...process.env,
      MULTICHAT_SERVER: join(target(), 'debug', 'multichat-server'),
      MULTICHAT_NPM: home,
      CHROMIUM: browser
    }
  })
  if (status !== 0) throw new Fault('The tests failed.')
}
