// Gathers what comes in, so that it is drawn together however much it is, and leaves time for the reader's own keys.

/** Where time comes from; the browser, but in tests. */
export interface Scheduler {
  /** In milliseconds. */
  now(): number
  /** Whether frames are drawn. */
  isVisible(): boolean
  frame(run: () => void): void
  later(run: () => void, millis: number): void
}

/** The least time between two drawings, in milliseconds. The first is not held up: one message appears at once. */
const SPACING = 80

/** How long things may gather while nobody looks. */
const UNSEEN = 250

export class Frames<T> {
  readonly #take: (items: readonly T[]) => void
  readonly #scheduler: Scheduler
  #items: T[] = []
  #last = Number.NEGATIVE_INFINITY

  /** `take` gets all that has gathered. */
  constructor(take: (items: readonly T[]) => void, scheduler: Scheduler = browser) {
    this.#take = take
    this.#scheduler = scheduler
  }

  push(item: T): void {
    this.#items.push(item)
    if (this.#items.length > 1) return
    const { now, isVisible, frame, later } = this.#scheduler
    const items = this.#items
    const flush = () => this.#flush(items)
    const wait = this.#last + SPACING - now()
    if (!isVisible()) later(flush, UNSEEN)
    else if (wait > 0) later(flush, wait)
    else {
      frame(flush)
      // Should the page be put out of sight before the frame.
      later(flush, UNSEEN)
    }
  }

  /** Has these taken, if they were not yet. */
  #flush(items: readonly T[]): void {
    if (items !== this.#items) return
    this.#items = []
    this.#last = this.#scheduler.now()
    this.#take(items)
  }
}

const browser: Scheduler = {
  now: () => performance.now(),
  isVisible: () => document.visibilityState === 'visible',
  frame: (run) => void requestAnimationFrame(run),
  later: (run, millis) => void setTimeout(run, millis),
}
