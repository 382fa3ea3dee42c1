/**
 * The same without the wasm in it, for those who serve `multichat/multichat.wasm` themselves.
 *
 * @module
 */

import type { Client } from './client.js'
import { connectBy, startBy } from './open.js'
import type { Options } from './types.js'
import { compile, type Source, unavailable } from './wasm.js'

export type * from './types.js'
export type { Client, Listener, ListenerOptions, WaitOptions } from './client.js'
export { type ErrorCode, MultichatError } from './error.js'

/** Where the wasm is: its URL, an answer that has it, its bytes, or itself, compiled. */
export type Wasm = string | URL | Response | ArrayBuffer | ArrayBufferView | CompiledWasm

/** A `WebAssembly.Module`. Not all settings of TypeScript know that name. */
export type CompiledWasm = object

/** As for the whole package, and where the wasm is. All clients of a program share the first one. */
export interface SlimOptions extends Options {
  wasm: Wasm | Promise<Wasm>
}

/** As `connect` of the whole package. */
export function connect(options: SlimOptions): Promise<Client> {
  return connectBy(source(options.wasm), options)
}

/** As `start` of the whole package. */
export function start(options: SlimOptions): Client {
  return startBy(source(options.wasm), options)
}

function source(given: SlimOptions['wasm']): Source {
  return async () => {
    const wasm = await promised(given)
    if (typeof WebAssembly === 'object' && wasm instanceof WebAssembly.Module) return wasm
    const isPlace = typeof wasm === 'string' || wasm instanceof URL
    const bytes = isPlace || wasm instanceof Response ? await download(wasm) : (wasm as BufferSource)
    return compile(bytes)
  }
}

async function promised(given: SlimOptions['wasm']): Promise<Wasm> {
  try {
    return await given
  } catch (cause) {
    throw unavailable(String(cause), cause)
  }
}

async function download(wasm: string | URL | Response): Promise<ArrayBuffer> {
  try {
    const response = wasm instanceof Response ? wasm : await fetch(wasm)
    const bytes = await response.arrayBuffer()
    const isWasm = String.fromCharCode(...new Uint8Array(bytes, 0, Math.min(4, bytes.byteLength))) === '\0asm'
    if (!isWasm) throw new Error(`there is no wasm, status ${response.status}`)
    return bytes
  } catch (cause) {
    throw unavailable(`${wasm instanceof Response ? wasm.url : wasm}: ${cause}`, cause)
  }
}
