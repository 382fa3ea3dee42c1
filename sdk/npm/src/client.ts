/// <reference lib="esnext.disposable" preserve="true" />
import type { Core } from 'multichat-glue'
import { closed, type Failure, MultichatError } from './error.js'
import { Feed } from './feed.js'
import { abortable } from './signal.js'
import { provide } from './socket.js'
import { soon } from './soon.js'
import { type Settled, type Told, told } from './told.js'
import type {
  Attachment,
  ClientEvent,
  ClientEventMap,
  Closed,
  Confirmation,
  Message,
  Options,
  Report,
  State,
  Status,
  Unsent,
} from './types.js'
import { forget, load, type Source } from './wasm.js'
import { core as coreOf, sending, whole } from './wire.js'

/** For what can be waited for. */
export interface WaitOptions {
  /** Stops waiting, with its reason as the error. What is waited for goes on. */
  signal?: AbortSignal | undefined
}

/** Who listens to events: a function, or an object with such a method. */
export type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void }

/** The options of `EventTarget`, by whatever name the settings of TypeScript know them. */
export type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

/** Who waits for something that was asked of the wasm; `unsent`, if it was to be sent. */
interface Ticket {
  resolve(value: unknown): void
  reject(error: MultichatError): void
  unsent: Unsent | undefined
}

/** What is to be known of something that is asked of the wasm: what is to be sent, and what ends the waiting for it. */
interface Asked {
  unsent?: Unsent
  signal?: AbortSignal | undefined
}

// Where there is no such symbol yet, `await using` is compiled to use this one.
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')

/**
 * A client of a multichat router, which connects again whenever its connection breaks.
 *
 * Read its events by `for await (const event of client)`, or listen to them by `addEventListener`; the `detail`
 * is the event then. Events are kept until the first of both is there.
 */
export class Client extends EventTarget implements AsyncIterable<ClientEvent, undefined> {
  readonly #capacity: number
  /** Events that nobody has asked for yet. */
  #backlog: Feed | undefined
  readonly #feeds = new Set<Feed>()
  #isListening = false
  #state: State = { type: 'connecting', attempt: 1 }
  /** Asked at each change of the state whether they are content. */
  readonly #watchers = new Set<() => boolean>()

  /** What is asked while the wasm is loaded. */
  #early: ((core: Core) => void)[] | undefined = []
  #core: Core | undefined
  readonly #tickets = new Map<number, Ticket>()
  #lastTicket = 0
  /** What the wasm has told, and nobody else yet. */
  #told: Told[] = []

  /** @internal */
  constructor(source: Source, options: Options, once: boolean) {
    super()
    this.#capacity = whole('eventCapacity', options.eventCapacity, 8192)
    this.#backlog = this.#capacity ? this.#feed() : undefined
    const core = coreOf(options, once, this.#take)
    provide(options.WebSocket)
    load(source).then((make) => this.#begin(() => make(core, this.#fail)), this.#fail)
  }

  /** Where it stands. */
  get state(): State {
    return this.#state
  }

  /**
   * Says something to everyone else in the room. Resolves when it is in the room's log, which takes as long as
   * there is no connection; rejects with a `MultichatError` that hands it back as `unsent`.
   */
  send(message: string | Message): Promise<Confirmation> {
    return this.#message(message)
  }

  /** Answers the message with this `seq`; without one, it is a message like any other. */
  reply(seq: number | undefined, message: string | Message): Promise<Confirmation> {
    return this.#message(message, { replyTo: seq })
  }

  /** Says something, perhaps nothing, and shows files. */
  attach(content: string, attachments: readonly Attachment[]): Promise<Confirmation> {
    return this.#send({ content, attachments, type: 'message' })
  }

  /** Gives the own message with this `seq` another text. */
  edit(seq: number, content: string): Promise<Confirmation> {
    return this.#send({ target: seq, content, type: 'edit' })
  }

  /** Takes the own message with this `seq` back. */
  delete(seq: number): Promise<Confirmation> {
    return this.#send({ target: seq, type: 'delete' })
  }

  /** Tells the author of the message with this `seq` what became of it here. A courtesy: it may be lost. */
  report(seq: number, report: Report): Promise<void> {
    return this.#send({ ...report, target: seq, type: 'receipt' })
  }

  /** Tells the others how this client's platform is: now, and again after each break. */
  setStatus(status: Status, text?: string): Promise<void> {
    return this.#send({ status, text, type: 'status' })
  }

  /** Resolves when it is online, at once if it is; rejects if it ends before. */
  online({ signal }: WaitOptions = {}): Promise<void> {
    return this.#watch(signal, (state, resolve: (nothing: void) => void, reject) => {
      if (state.type === 'online') resolve()
      if (state.type === 'closed') reject(state.cause ?? closed())
    })
  }

  /** Resolves when it has ended, whoever ended it: the state says why. */
  closed({ signal }: WaitOptions = {}): Promise<Closed> {
    return this.#watch(signal, (state, resolve: (state: Closed) => void) => {
      if (state.type === 'closed') resolve(state)
    })
  }

  /** Resolves when there is room for another message to wait, or the client has ended. */
  ready(options?: WaitOptions): Promise<void> {
    return this.#wait(false, options)
  }

  /** Resolves when it is known what became of all that has been sent so far. */
  flush(options?: WaitOptions): Promise<void> {
    return this.#wait(true, options)
  }

  /**
   * Takes nothing new, waits until it is known what became of all that has been sent, but no longer than so
   * many milliseconds, and closes. `await using` does this at the end. The signal ends only your waiting: to end the
   * draining itself, `close()`.
   */
  drain(limit = 10_000, { signal }: WaitOptions = {}): Promise<void> {
    const millis = whole('limit', limit)
    return this.#ask((core, ticket) => core.drain(ticket, millis), { signal })
  }

  /** Closes. What has not been sent is not sent any more. */
  close({ signal }: WaitOptions = {}): Promise<void> {
    if (this.#early) this.#over({ type: 'closed', by: 'client' }, 'not-sent')
    return this.#ask((core, ticket) => core.close(ticket), { signal })
  }

  /** Tries now, if it waits before its next attempt. */
  reconnectNow(): void {
    this.#core?.reconnectNow()
  }

  /**
   * The events from now on; for the first who asks, also those that there were. They end with the client, or by the
   * signal, whose reason a loop throws then.
   */
  events({ signal }: WaitOptions = {}): AsyncIterableIterator<ClientEvent, undefined> {
    const feed = this.#backlog ?? this.#feed()
    this.#backlog = undefined
    this.#feeds.add(feed)
    if (this.#state.type === 'closed') feed.end()
    return feed.heed(signal)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ClientEvent, undefined> {
    return this.events()
  }

  [asyncDispose](): Promise<void> {
    return this.drain()
  }

  override addEventListener<Type extends keyof ClientEventMap>(
    type: Type,
    listener: Listener<ClientEventMap[Type]> | null,
    options?: ListenerOptions,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: ListenerOptions,
  ): void {
    super.addEventListener(type, listener, options)
    this.#isListening = true
    // Not at once: there may be more listeners to come.
    if (this.#backlog) queueMicrotask(this.#catchUp)
  }

  override removeEventListener<Type extends keyof ClientEventMap>(
    type: Type,
    listener: Listener<ClientEventMap[Type]> | null,
    options?: ListenerOptions,
  ): void
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: ListenerOptions,
  ): void {
    super.removeEventListener(type, listener, options)
  }

  #feed(): Feed {
    return new Feed(this.#capacity, (feed) => this.#feeds.delete(feed))
  }

  readonly #catchUp = (): void => {
    const backlog = this.#backlog
    this.#backlog = undefined
    for (let event = backlog?.take(); event; event = backlog?.take()) this.#deliver(event)
  }

  // In an async function: what is no message, too, is told by the promise.
  async #message(message: string | Message, more?: Message): Promise<Confirmation> {
    return this.#send({ ...asMessage(message), ...more, type: 'message' })
  }

  async #send<T = Confirmation>(unsent: Unsent): Promise<T> {
    return this.#ask<T>(sending(unsent), { unsent })
  }

  #wait(isFlush: boolean, { signal }: WaitOptions = {}): Promise<void> {
    // Whoever has given up before the wasm was there is not to be waited for in it.
    return this.#ask((core, ticket) => this.#tickets.has(ticket) && core.wait(ticket, isFlush), { signal })
  }

  /** Asks something of the wasm. Once the client has ended there is nothing to wait for. */
  #ask<T>(ask: (core: Core, ticket: number) => unknown, { unsent, signal }: Asked = {}): Promise<T> {
    let leave = () => {}
    const asked = new Promise<T>((resolve, reject) => {
      if (this.#state.type === 'closed') {
        return unsent ? reject(closed(unsent, this.#state.cause)) : resolve(undefined as T)
      }
      this.#lastTicket = (this.#lastTicket + 1) >>> 0
      const ticket = this.#lastTicket
      this.#tickets.set(ticket, { resolve: resolve as (value: unknown) => void, reject, unsent })
      if (this.#core) ask(this.#core, ticket)
      else this.#early?.push((core) => ask(core, ticket))
      leave = () => {
        this.#tickets.delete(ticket)
        this.#core?.forget(ticket)
        this.#tidy()
      }
    })
    return abortable(asked, signal, leave)
  }

  #watch<T>(
    signal: AbortSignal | undefined,
    look: (state: State, resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
  ): Promise<T> {
    let leave = () => {}
    const watched = new Promise<T>((resolve, reject) => {
      let isContent = false
      const watcher = () => {
        const content = <V>(settle: (value: V) => void) => (value: V) => {
          isContent = true
          settle(value)
        }
        look(this.#state, content(resolve), content(reject))
        return isContent
      }
      if (!watcher()) this.#watchers.add(watcher)
      leave = () => void this.#watchers.delete(watcher)
    })
    return abortable(watched, signal, leave)
  }

  #begin(make: () => Core): void {
    if (this.#state.type === 'closed') return
    try {
      this.#core = make()
    } catch (error) {
      this.#fail(error instanceof MultichatError ? error : new MultichatError(JSON.parse(String(error))))
      return
    }
    const early = this.#early ?? []
    this.#early = undefined
    for (const ask of early) ask(this.#core)
  }

  /** The wasm could not be loaded, or broke down. */
  readonly #fail = (cause: MultichatError): void => {
    this.#over({ type: 'closed', by: 'client', cause }, this.#core ? 'unknown' : 'not-sent')
  }

  /** Ends without the wasm. */
  #over(state: Closed, fate: 'unknown' | 'not-sent'): void {
    while (this.#told.length > 0) this.#tell()
    this.#core = undefined
    this.#early = undefined
    // Whoever closed it before the wasm was there has been told.
    if (this.#state.type !== 'closed') this.#enter(state)
    for (const { resolve, reject, unsent } of this.#tickets.values()) {
      if (unsent) reject(new MultichatError({ ...failureOf(state.cause ?? closed()), unsent, fate }))
      else resolve(undefined)
    }
    this.#tickets.clear()
  }

  /** Takes what the wasm tells. */
  readonly #take = (batch: string): void => {
    const isBehind = this.#told.length > 0
    for (const item of told(batch)) this.#told.push(item)
    if (!isBehind) this.#tell()
  }

  /**
   * Passes it on. Whoever waits for something gets it before anybody is told of what came later: else a receipt is
   * there before the `seq` that it is for.
   */
  readonly #tell = (): void => {
    let isAwaited = false
    for (let item = this.#told.shift(); item; item = this.#told.shift()) {
      if ('ticket' in item) {
        this.#settle(item)
        isAwaited = true
      } else if (item.type === 'state') {
        this.#enter(item.state)
      } else if (isAwaited) {
        this.#told.unshift(item)
        soon(this.#tell)
        break
      } else {
        this.#deliver(item)
      }
    }
    this.#tidy()
  }

  /** Once it has ended, and everyone has been told, nothing is left of it. */
  #tidy(): void {
    if (this.#state.type !== 'closed' || this.#tickets.size > 0) return
    forget(this.#fail)
    this.#core?.free()
    this.#core = undefined
  }

  #settle(item: Settled): void {
    const ticket = this.#tickets.get(item.ticket)
    this.#tickets.delete(item.ticket)
    switch (item.type) {
      case 'logged':
        return ticket?.resolve({ type: 'logged', seq: item.seq, time: item.time })
      case 'written':
        return ticket?.resolve({ type: 'written' })
      case 'done':
        return ticket?.resolve(undefined)
      case 'failed': {
        const isOfTheEnd = item.code === 'closed' || item.code === 'fate-unknown'
        return ticket?.reject(new MultichatError({ ...item, unsent: ticket.unsent }, isOfTheEnd ? this.#why() : undefined))
      }
    }
  }

  /** Why it ends: what is not sent because of that is told before it. */
  #why(): MultichatError | undefined {
    const change = this.#told.findLast((item) => item.type === 'state')
    const end = change?.type === 'state' ? change.state : this.#state
    return end.type === 'closed' ? end.cause : undefined
  }

  #enter(state: State): void {
    this.#state = state
    for (const watcher of this.#watchers) if (watcher()) this.#watchers.delete(watcher)
    this.#deliver({ type: 'state', state })
    if (state.type === 'closed') {
      this.#backlog?.end()
      for (const feed of this.#feeds) feed.end()
    }
  }

  #deliver(event: ClientEvent): void {
    if (this.#backlog) {
      this.#backlog.push(event)
      return
    }
    for (const feed of this.#feeds) feed.push(event)
    if (this.#isListening) this.dispatchEvent(new CustomEvent(event.type, { detail: event }))
  }
}

const asMessage = (message: string | Message): Message =>
  typeof message === 'object' ? message : { content: message }

const failureOf = ({ code, message, explanation, retryable }: MultichatError): Failure => ({
  code,
  message,
  explanation,
  retryable,
})
