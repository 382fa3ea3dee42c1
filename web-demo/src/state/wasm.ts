// The client's wasm. It is fetched while the page is looked at, so that joining need not wait for it.

import address from 'multichat/multichat.wasm?url'

const early = fetch(address).then(
  (answer) => (answer.ok ? answer.arrayBuffer() : undefined),
  () => undefined,
)

/** The wasm; or, if it could not be had, its address, for another try. */
export const wasm = async (): Promise<ArrayBuffer | string> => (await early) ?? address
