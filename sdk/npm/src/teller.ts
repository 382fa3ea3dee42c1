import { soon } from './soon.js'
import { type Settled, type Told, told } from './told.js'
import type { ClientEvent, State } from './types.js'

/** Who is told, and of what. */
interface Hearer {
  settle(settled: Settled): void
  enter(state: State): void
  deliver(event: ClientEvent): void
  /** All that there was has been told. */
  tidy(): void
}

/**
 * Passes on what the wasm tells. Whoever waits for something gets it before anybody is told of what came later, be it
 * told by itself: else a receipt is there before the `seq` that it is for.
 */
export class Teller {
  readonly #hearer: Hearer
  /** What the wasm has told, and nobody else yet. */
  #told: Told[] = []
  /** Whether somebody has got just now what was waited for, and may not know it yet. */
  #isAwaited = false

  constructor(hearer: Hearer) {
    this.#hearer = hearer
  }

  /** The last change of the state that is still to be told. */
  get lastState(): State | undefined {
    const change = this.#told.findLast((item) => item.type === 'state')
    return change?.type === 'state' ? change.state : undefined
  }

  /** Takes what the wasm tells. */
  readonly take = (batch: string): void => {
    const isBehind = this.#told.length > 0
    for (const item of told(batch)) this.#told.push(item)
    if (!isBehind) this.#tell()
  }

  /** Tells all that is left, at once. */
  end(): void {
    while (this.#told.length > 0) this.#goOn()
  }

  #tell(): void {
    for (let item = this.#told.shift(); item; item = this.#told.shift()) {
      if ('ticket' in item) {
        this.#hearer.settle(item)
        if (!this.#isAwaited) soon(this.#goOn)
        this.#isAwaited = true
      } else if (item.type === 'state') {
        this.#hearer.enter(item.state)
      } else if (this.#isAwaited) {
        this.#told.unshift(item)
        break
      } else {
        this.#hearer.deliver(item)
      }
    }
    this.#hearer.tidy()
  }

  readonly #goOn = (): void => {
    this.#isAwaited = false
    this.#tell()
  }
}
