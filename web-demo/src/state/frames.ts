// Gathers what comes in, so that it is drawn once for each frame however much it is.

/** Where time comes from; the browser, but in tests. */
export interface Scheduler {
  /** Whether frames are drawn. */
  isVisible(): boolean
  frame(run: () => void): void
  later(run: () => void, millis: number): void
}

/** How long things may gather while nobody looks, in milliseconds. */
const UNSEEN = 250

export class Frames<T> {
  readonly #take: (items: readonly T[]) => void
  readonly #scheduler: Scheduler
  #items: T[] = []
  #isScheduled = false

  /** `take` gets all that has gathered, once a frame. */
  constructor(take: (items: readonly T[]) => void, scheduler: Scheduler = browser) {
    this.#take = take
    this.#scheduler = scheduler
  }

  push(item: T): void {
    this.#items.push(item)
    if (this.#isScheduled) return
    this.#isScheduled = true
    if (this.#scheduler.isVisible()) this.#scheduler.frame(this.#flush)
    // No frames are drawn then, but the title has to tell.
    this.#scheduler.later(this.#flush, UNSEEN)
  }

  readonly #flush = (): void => {
    if (!this.#isScheduled) return
    this.#isScheduled = false
    const items = this.#items
    this.#items = []
    this.#take(items)
  }
}

const browser: Scheduler = {
  isVisible: () => document.visibilityState === 'visible',
  frame: (run) => void requestAnimationFrame(run),
  later: (run, millis) => void setTimeout(run, millis),
}
