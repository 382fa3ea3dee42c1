import { __wbg_set_wasm, type Core } from 'multichat-glue'
import imports, { begin } from 'multichat-imports'
import { MultichatError } from './error.js'
import { closeAll } from './socket.js'

/** Where the wasm comes from. Asked once, unless it fails. */
export type Source = () => Promise<WebAssembly.Module>

/** Makes the core of a client. `died` is called if the wasm breaks down: nothing more will come of it then. */
export type MakeCore = (make: () => Core, died: (error: MultichatError) => void) => Core

let loading: Promise<MakeCore> | undefined
let death: MultichatError | undefined
const mourners = new Set<(error: MultichatError) => void>()

/** All clients of a program share one instance. */
export function load(source: Source): Promise<MakeCore> {
  loading ??= instantiate(source).catch((error) => {
    loading = undefined
    throw told(error)
  })
  return loading
}

async function instantiate(source: Source): Promise<MakeCore> {
  const module = await source()
  const { exports } = await WebAssembly.instantiate(module, { a: imports })
  __wbg_set_wasm(guarded(exports))
  begin(exports)
  return (make, died) => {
    if (death) throw death
    const core = make()
    if (death) throw death
    mourners.add(died)
    return core
  }
}

export async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  // In an async function: where there is no `WebAssembly` at all, it is the same to who calls.
  return WebAssembly.compile(bytes)
}

/** The wasm could not be had. */
export function unavailable(reason: string, cause?: unknown, retryable = true): MultichatError {
  const message = 'the wasm of multichat could not be loaded'
  return new MultichatError({ code: 'wasm-unavailable', message, explanation: `${message}: ${reason}.`, retryable }, cause)
}

/** Why it could not be had: whatever was thrown on the way, in plain words. */
function told(cause: unknown): MultichatError {
  if (cause instanceof MultichatError) return cause
  if (isForbidden(cause)) return blocked(cause)
  // No memory, say.
  if (cause instanceof RangeError) return unavailable(String(cause), cause)
  const reason = `it is not the wasm of this version, or incomplete (${cause}); serve the file that came with the script`
  return unavailable(reason, cause, cause instanceof WebAssembly.CompileError)
}

/** There is no standard for how a browser says so; where WebAssembly is switched off, there is none. */
function isForbidden(cause: unknown): boolean {
  if (typeof WebAssembly !== 'object' || cause instanceof EvalError) return true
  return cause instanceof WebAssembly.CompileError && /policy|\bCSP\b|unsafe-eval|disallowed/i.test(cause.message)
}

function blocked(cause: unknown): MultichatError {
  const failure = {
    code: 'wasm-blocked',
    message: 'this page may not run WebAssembly',
    explanation:
      "This page may not run WebAssembly. If it has a Content-Security-Policy, add 'wasm-unsafe-eval' to its " +
      "script-src. Some browsers can also switch WebAssembly off, as in a lockdown mode.",
    retryable: false,
  }
  return new MultichatError(failure, cause)
}

/** The same exports, which break down once and for all instead of throwing into whatever called them. */
function guarded(exports: WebAssembly.Exports): Record<string, unknown> {
  // What the glue takes from a call: a number, or several.
  const nothing = [0, 0, 0, 0]
  const guard = (run: (...args: unknown[]) => unknown) => (...args: unknown[]) => {
    if (death) return nothing
    try {
      return run(...args)
    } catch (cause) {
      die(cause)
      return nothing
    }
  }
  const entries = Object.entries(exports as Record<string, unknown>)
  return Object.fromEntries(
    entries.map(([name, it]) => [name, typeof it === 'function' ? guard(it as () => unknown) : it]),
  )
}

function die(cause: unknown): void {
  const message = `multichat broke down: ${cause instanceof Error ? cause.message : cause}`
  const explanation =
    `${message}. This is a bug of the package: please report it. To go on, load the page anew or restart the program.`
  death = new MultichatError({ code: 'internal', message, explanation, retryable: false }, cause)
  closeAll()
  for (const died of mourners) died(death)
  mourners.clear()
}

/** The client has ended. */
export function forget(died: (error: MultichatError) => void): void {
  mourners.delete(died)
}
