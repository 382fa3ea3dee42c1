import { type Failure, MultichatError } from './error.js'
import type { ClientEvent, State } from './types.js'

/** What became of what was asked of the wasm. */
export type Settled =
  | { type: 'logged'; ticket: number; seq: number; time: number }
  | { type: 'written' | 'done'; ticket: number }
  | ({ type: 'failed'; ticket: number } & Failure)

/** What the wasm tells. */
export type Told = ClientEvent | Settled

/** Reads what the wasm tells, in one text. */
export function told(batch: string): Told[] {
  const items = JSON.parse(batch) as Told[]
  return items.map((item) => (item.type === 'state' ? { ...item, state: revived(item.state) } : item))
}

/** The state, of which JSON made plain objects, with errors that are errors. */
function revived(state: State): State {
  if (state.type === 'waiting') {
    return { ...state, retryAt: Date.now() + state.retryIn, cause: new MultichatError(state.cause) }
  }
  if (state.type === 'closed' && state.cause) {
    return { ...state, cause: new MultichatError(state.cause) }
  }
  return state
}
