import { Client } from './client.js'
import type { Options } from './types.js'
import type { Source } from './wasm.js'

/** As `connect`, with this wasm. */
export async function connectBy(source: Source, options: Options): Promise<Client> {
  options.signal?.throwIfAborted()
  const client = new Client(source, options, true)
  try {
    await client.online(options)
    return client
  } catch (error) {
    void client.close()
    throw error
  }
}

/** As `start`, with this wasm. */
export function startBy(source: Source, options: Options): Client {
  const client = new Client(source, options, false)
  const { signal } = options
  if (signal) {
    const close = () => void client.close()
    if (signal.aborted) close()
    signal.addEventListener('abort', close)
    void client.closed().then(() => signal.removeEventListener('abort', close))
  }
  return client
}
