/**
 * A client of multichat, which forwards chat messages between platforms.
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

const wasm: Source = async () => {
  const bytes = new Map(Array.from(MULTICHAT_WASM.slice(0, 256), (char, byte) => [char, byte]))
  // Else the file was read in another encoding.
  if (bytes.size !== 256) {
    const reason = "the package's file is not read as UTF-8: add <meta charset=\"utf-8\"> to the page"
    throw unavailable(reason, undefined, false)
  }
  return compile(Uint8Array.from(MULTICHAT_WASM.slice(256), (char) => bytes.get(char) ?? 0))
}

/**
 * Connects to a router. Resolves when it is online; from then on it connects again by itself. Rejects with a
 * `MultichatError` if the first attempt fails: `explanation` says what to do.
 */
export function connect(options: Options): Promise<Client> {
  return connectBy(wasm, options)
}

/** Makes a client that connects by itself, now and as often as it takes. What is sent before waits. */
export function start(options: Options): Client {
  return startBy(wasm, options)
}
