import type { ClientEvent } from './types.js'

type Result = IteratorResult<ClientEvent, undefined>

interface Reader {
  resolve(result: Result): void
  reject(reason: unknown): void
}

/** Events that wait for one reader. Bounded: beyond that the oldest are dropped, and counted. */
export class Feed implements AsyncIterableIterator<ClientEvent, undefined> {
  readonly #capacity: number
  readonly #left: (feed: Feed) => void
  #events: ClientEvent[] = []
  #dropped = 0
  #readers: Reader[] = []
  #signal: AbortSignal | undefined
  #isOver = false

  /** `left` is called when nobody will read any more. */
  constructor(capacity: number, left: (feed: Feed) => void) {
    this.#capacity = capacity
    this.#left = left
  }

  /** Whoever reads gets the signal's reason instead when it is aborted. */
  heed(signal: AbortSignal | undefined): this {
    this.#signal = signal
    if (signal?.aborted) this.#abort()
    else if (!this.#isOver) signal?.addEventListener('abort', this.#abort, { once: true })
    return this
  }

  push(event: ClientEvent): void {
    const reader = this.#readers.shift()
    if (reader) {
      reader.resolve({ value: event, done: false })
    } else {
      this.#events.push(event)
      if (this.#events.length > this.#capacity) {
        this.#events.shift()
        this.#dropped += 1
      }
    }
  }

  /** The next event, if there is one by now. */
  take(): ClientEvent | undefined {
    if (this.#dropped) {
      const events = this.#dropped
      this.#dropped = 0
      return { type: 'lagged', events }
    }
    return this.#events.shift()
  }

  /** Nothing more will come; what has come can still be read. */
  end(): void {
    this.#isOver = true
    this.#signal?.removeEventListener('abort', this.#abort)
    for (const reader of this.#readers.splice(0)) reader.resolve({ value: undefined, done: true })
  }

  next(): Promise<Result> {
    if (this.#signal?.aborted) return Promise.reject(this.#signal.reason)
    const value = this.take()
    if (value) return Promise.resolve({ value, done: false })
    if (this.#isOver) return Promise.resolve({ value, done: true })
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  return(): Promise<Result> {
    this.#leave()
    this.end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  readonly #abort = (): void => {
    this.#leave()
    for (const reader of this.#readers.splice(0)) reader.reject(this.#signal?.reason)
  }

  #leave(): void {
    this.#events = []
    this.#dropped = 0
    this.#left(this)
  }
}
