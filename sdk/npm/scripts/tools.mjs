// Where the tools are that npm does not bring. Whatever is missing is an error that says how to get it.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's folder. */
export const home = fileURLToPath(new URL('..', import.meta.url))

/** The repository's folder. */
export const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Runs a command, which has to succeed; returns what it wrote to its standard output if that is asked for. */
export function run (command, args, { output = 'inherit', ...options } = {}) {
  const stdio = ['ignore', output, 'inherit']
  const { status, signal, error, stdout } = spawnSync(command, args, { cwd: home, stdio, encoding: 'utf8', ...options })
  if (error) throw new Fault(`${command}: ${error.message}`)
  if (status !== 0) throw new Fault(`${[command, ...args].join(' ')} failed (${signal ?? status})`)
  return stdout
}

/** An error that says what to do; its stack says nothing more. */
export class Fault extends Error {}

/** Runs a script's main function. */
export async function main (script) {
  try {
    await script()
  } catch (error) {
    console.error(error instanceof Fault ? error.message : error)
    process.exitCode = 1
  }
}

/** What an npm package of this name brings as a command. */
export const bin = (name) => join(home, 'node_modules/.bin', name)

/** Where cargo puts what it builds. */
export function target () {
  const options = { cwd: repository, output: 'pipe', maxBuffer: 1 << 28 }
  return JSON.parse(run('cargo', ['metadata', '--locked', '--format-version=1', '--no-deps'], options)).target_directory
}

/** The command line of wasm-bindgen, in the version that the code was compiled with. */
export function wasmBindgen () {
  const lock = readFileSync(join(repository, 'Cargo.lock'), 'utf8')
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)[1]
  const tools = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'multichat-tools')
  const places = [process.env.WASM_BINDGEN, join(tools, 'bin/wasm-bindgen'), ...onPath('wasm-bindgen')]
  const found = places.find((it) => it && spawnSync(it, ['--version'], { encoding: 'utf8' }).stdout?.trim().endsWith(` ${version}`))
  if (found) return found
  throw new Fault(`wasm-bindgen ${version} is missing. This installs it, in some minutes:
  cargo install wasm-bindgen-cli --version ${version} --root ${tools}`)
}

/** The browser for tests. */
export function chromium () {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']
  const found = [process.env.CHROMIUM, ...names.flatMap(onPath)].find((it) => it && existsSync(it))
  if (found) return found
  throw new Fault('Chromium is missing: install the package `chromium` of Debian or Ubuntu, or set CHROMIUM to its path.')
}

const onPath = (name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)).filter(existsSync)
