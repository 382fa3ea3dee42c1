// Builds the router, and tells the tests where it is.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

export default function setup(): void {
  cargo('build', '--locked', '--quiet', '--package', 'multichat-server')
  const metadata = JSON.parse(cargo('metadata', '--locked', '--format-version=1', '--no-deps'))
  process.env.MULTICHAT_SERVER = join(metadata.target_directory, 'debug/multichat-server')
}

function cargo(...args: string[]): string {
  return execFileSync('cargo', args, {
    cwd: repository,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  })
}
