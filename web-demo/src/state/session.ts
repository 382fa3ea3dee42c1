// A chat that was joined: the client, and what the page shows of it.

import { batch, type Signal, signal } from '@preact/signals'
import { type Client, type ClientEvent, connect, type Member, MultichatError, type State } from 'multichat/slim'
import type { Said } from '../model/entry.ts'
import { type Cause, refusal } from '../model/failure.ts'
import { Log } from '../model/log.ts'
import { type Place, titleOfPlace } from '../model/place.ts'
import { present } from '../model/roster.ts'
import { answered, arrived, NOTHING, seen, type Unread } from '../model/unread.ts'
import { Frames } from './frames.ts'
import { wasm } from './wasm.ts'

/** How many of the newest entries of the room to get on joining: as many as are kept, as there is no other way to them. */
const HISTORY = 10_000

/** Joins. Rejects with a `MultichatError` if that fails. */
export async function join(place: Place, signal: AbortSignal): Promise<Session> {
  const { server, name, key, path } = place
  const options = {
    url: server,
    name,
    key,
    history: HISTORY,
    eventCapacity: 2 * HISTORY,
    presence: true,
    signal,
    wasm: wasm(),
  }
  return new Session(place, await connect(path ? { ...options, room: path } : options))
}

/** What became of something that was sent, to be put into the log. */
interface Outcome {
  readonly type: 'settled'
  readonly apply: () => void
}

export class Session {
  readonly name: string
  /** The router's address. */
  readonly server: string
  /** The host and the room. */
  readonly title: string
  readonly log: Log
  readonly state: Signal<State>
  readonly members = signal<readonly Member[]>([])
  readonly unread = signal<Unread>(NOTHING)
  /** Counts the changes of the log. */
  readonly revision = signal(0)
  /** Whether the reader is at the end of the log. */
  readonly isAtEnd = signal(true)
  /** Whether what came last was said earlier: then it is not read out. */
  readonly isCatchingUp = signal(true)
  readonly #client: Client
  /** What the client tells, and what became of what was sent: in the order in which it happened. */
  readonly #frames = new Frames<ClientEvent | Outcome>((events) => this.#take(events))
  /** So often it was online. */
  #connections = 0

  constructor(place: Place, client: Client) {
    this.name = place.name
    this.server = place.server
    this.title = titleOfPlace(place)
    this.log = new Log(place.name)
    this.#client = client
    this.state = signal(client.state)
    void this.#listen()
  }

  /** Says something. It is in the log at once, whatever becomes of it. */
  say(content: string, replyTo?: number): void {
    const id = this.log.say({ content, replyTo }, Date.now())
    this.unread.value = answered()
    this.#drawn()
    this.#send(id, content, replyTo)
  }

  /** Tries again to send what has failed. */
  retry(id: number): void {
    const said = this.log.find(id)
    if (said?.sent?.type !== 'failed') return
    // What it answers may be gone meanwhile, or be in a log of before.
    const replyTo = said.original === undefined ? undefined : this.log.find(said.original)?.seq
    this.log.retry(id)
    this.#drawn()
    this.#send(id, said.content, replyTo)
  }

  /** Gives up something that has failed, and hands it back. */
  discard(id: number): Said | undefined {
    const said = this.log.discard(id)
    this.#drawn()
    return said
  }

  /** Gives an own message another text; without one, takes it back. */
  change(id: number, content: string | undefined): void {
    const seq = this.log.find(id)?.seq
    // The router has begun a new log since.
    if (seq === undefined) {
      this.#changed(id, content, { code: 'log-changed', explanation: '' })
      return
    }
    this.log.change(id, { content })
    this.#drawn()
    const asked = content === undefined ? this.#client.delete(seq) : this.#client.edit(seq, content)
    asked.then(
      () => this.#changed(id, content),
      (error) => this.#changed(id, content, causeOf(error)),
    )
  }

  #changed(id: number, content: string | undefined, cause?: Cause): void {
    this.#settled(() => {
      if (cause) this.log.change(id, { content, failed: refusal(cause) })
      else this.log.changed(id, content)
    })
  }

  /** Gives up a change that has failed. */
  forgetChange(id: number): void {
    this.log.change(id, undefined)
    this.#drawn()
  }

  /** The texts that were not sent, as far as is known. */
  unsentTexts(): string[] {
    return this.log.outgoing.map(({ content }) => content)
  }

  tryNow(): void {
    this.#client.reconnectNow()
  }

  async leave(): Promise<void> {
    await this.#client.close()
  }

  /** The reader is at the end of the log, or has left it. */
  look(isAtEnd: boolean): void {
    this.isAtEnd.value = isAtEnd
    this.#see()
  }

  /** The page has come to the fore. */
  readonly #see = (): void => {
    if (this.#isSeen()) this.unread.value = seen(this.unread.value)
  }

  #isSeen(): boolean {
    return this.isAtEnd.peek() && document.visibilityState === 'visible'
  }

  #send(id: number, content: string, replyTo: number | undefined): void {
    this.#client.send({ content, ...(replyTo !== undefined && { replyTo }) }).then(
      (confirmation) => this.#settled(() => this.log.confirm(id, confirmation)),
      (error) => {
        const isDoubtful = error instanceof MultichatError && error.fate === 'unknown'
        this.#settled(() => this.log.fail(id, refusal(causeOf(error)), isDoubtful))
      },
    )
  }

  #settled(apply: () => void): void {
    this.#frames.push({ type: 'settled', apply })
  }

  async #listen(): Promise<void> {
    document.addEventListener('visibilitychange', this.#see)
    const types = ['message', 'edit', 'delete', 'receipt', 'gap', 'roster', 'presence', 'state'] as const
    const listener = { handleEvent: ({ detail }: CustomEvent<ClientEvent>) => this.#frames.push(detail) }
    for (const type of types) this.#client.addEventListener(type, listener)
    await this.#client.closed()
    document.removeEventListener('visibilitychange', this.#see)
  }

  #enter(state: State): void {
    if (state.type === 'online') this.#connections += 1
    this.state.value = state
  }

  #take(events: readonly (ClientEvent | Outcome)[]): void {
    batch(() => {
      this.isCatchingUp.value = events.some((event) => event.type === 'message' && event.replay)
      for (const event of events) {
        if (event.type === 'settled') event.apply()
        else this.#takeOne(event, Date.now())
      }
      this.#drawn()
    })
  }

  #takeOne(event: ClientEvent, now: number): void {
    if (event.type === 'state') this.#enter(event.state)
    if (event.type === 'roster' || event.type === 'presence') this.members.value = present(this.members.value, event)
    const entry = this.log.apply(event, now)
    // What was said before this page joined is nothing new, and what just happened needs no answer.
    const isOld = event.type === 'message' && event.replay && this.#connections <= 1
    if (entry?.type === 'said' && !isOld && !entry.isMine && entry.event === undefined && !this.#isSeen()) {
      this.unread.value = arrived(this.unread.value, entry.id)
    }
  }

  readonly #drawn = (): void => {
    this.revision.value += 1
  }
}

/** Every error of the package is one of its own, but for those of wrong arguments. */
function causeOf(error: unknown): Cause {
  return error instanceof MultichatError ? error : { code: 'internal', explanation: String(error) }
}
