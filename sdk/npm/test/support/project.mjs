// The scratch project that the tests run in, and the tools that they use, which are not part of it.

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The folder of the scratch project. */
export const scratch = fileURLToPath(new URL('../..', import.meta.url))

/** The package as it is installed. */
export const installed = join(scratch, 'node_modules/multichat')

const development = createRequire(join(process.env.MULTICHAT_NPM, 'package.json'))

/** A development tool that is a module. */
export const tool = (name) => import(pathToFileURL(development.resolve(name)))

/** A development tool that is a program. */
export const program = (name) => join(process.env.MULTICHAT_NPM, 'node_modules/.bin', name)

/** A folder of a development tool's package. */
export const folderOf = (name) => dirname(development.resolve(`${name}/package.json`))

/** Runs a program in the scratch project. Resolves to its exit code, and what it wrote. */
export function execute (command, args, options = {}) {
  const child = spawn(command, args, { cwd: scratch, stdio: ['ignore', 'pipe', 'pipe'], ...options })
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => { written[stream] += text })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? signal, ...written }))
  })
}
