import type {
  ClientEvent,
  Confirmation,
  Gap,
  Receipt,
  ReceivedDelete,
  ReceivedEdit,
  ReceivedMessage,
} from 'multichat/slim'
import { type Change, type Entry, isChangeable, type Said, type Sent } from './entry.ts'
import type { Extent } from './range.ts'

/** How much is kept. Beyond that a tenth goes at once, the oldest, so that it is not done again for each message. */
export interface Bounds {
  readonly entries: number
  readonly characters: number
}

const BOUNDS: Bounds = { entries: 10_000, characters: 32_000_000 }

/** The log as the page shows it: what the router has entered, in its order, and after it what is on its way there. */
export class Log {
  readonly #name: string
  readonly #bounds: Bounds
  /** In the router's order. */
  #settled: Entry[] = []
  /** What has no place in the router's log yet, or will get none. */
  #outgoing: Said[] = []
  /** Of the present log of the router. */
  readonly #bySeq = new Map<number, Said>()
  readonly #byId = new Map<number, Said>()
  #all: readonly Entry[] | undefined
  #lastId = 0
  #dropped = 0
  #characters = 0

  /** `name` is the one that this page has. */
  constructor(name: string, bounds = BOUNDS) {
    this.#name = name
    this.#bounds = bounds
  }

  /** All there is, oldest first. */
  get entries(): readonly Entry[] {
    this.#all ??= [...this.#settled, ...this.#outgoing]
    return this.#all
  }

  /** How many were dropped, so that what is left fits. */
  get dropped(): number {
    return this.#dropped
  }

  /** How much there is, and how much there was before. */
  get extent(): Extent {
    return { dropped: this.#dropped, length: this.entries.length }
  }

  /** Where in that extent the entry of this page's number is. */
  placeOf(id: number): number | undefined {
    const index = this.entries.findLastIndex((entry) => entry.id === id)
    return index < 0 ? undefined : index + this.#dropped
  }

  /** The message at this place of the router's log, if it is kept. */
  at(seq: number): Said | undefined {
    return this.#bySeq.get(seq)
  }

  /** The message of this page's number. */
  find(id: number): Said | undefined {
    return this.#byId.get(id)
  }

  /** The newest message that this page may still change, if the router's log has it. */
  lastOwn(): Said | undefined {
    const found = this.#settled.findLast((entry) => entry.type === 'said' && isChangeable(entry))
    return found?.type === 'said' ? found : undefined
  }

  /** Takes what the client tells. Returns the entry that is new by it. */
  apply(event: ClientEvent, now: number): Entry | undefined {
    switch (event.type) {
      case 'message':
        return this.#message(event, now)
      case 'edit':
        return this.#edit(event)
      case 'delete':
        return this.#delete(event)
      case 'receipt':
        return this.#receipt(event)
      case 'gap':
        return this.#gap(event, now)
      default:
        return undefined
    }
  }

  /** Shows something that this page is sending. Returns its number. */
  say(message: { content: string; replyTo?: number | undefined }, now: number): number {
    const said: Said = {
      type: 'said',
      id: this.#nextId(),
      time: now,
      source: this.#name,
      content: message.content,
      attachments: [],
      isEdited: false,
      isDeleted: false,
      isMine: true,
      sent: { type: 'pending' },
      outcomes: [],
      ...this.#answering(message.replyTo),
    }
    this.#byId.set(said.id, said)
    this.#outgoing.push(said)
    this.#all = undefined
    return said.id
  }

  /** It has arrived. */
  confirm(id: number, confirmation: Confirmation): void {
    const said = this.#takeOutgoing(id)
    if (!said) return
    const { seq, time } = confirmation
    const sent: Sent = { type: 'sent' }
    // After its session was lost it may have come back as history already.
    const known = seq === undefined ? undefined : this.#bySeq.get(seq)
    if (known?.isMine) this.#replace(known, { ...known, sent })
    else this.#insert({ ...said, sent, time: time ?? said.time, ...(seq !== undefined && { seq }) })
  }

  /** It has not arrived, or nobody knows. */
  fail(id: number, why: string, maybe: boolean): void {
    this.#mark(id, { type: 'failed', why, maybe })
  }

  /** It is tried again. */
  retry(id: number): void {
    this.#mark(id, { type: 'pending' })
  }

  /** Takes something that failed out of the log, and returns it. */
  discard(id: number): Said | undefined {
    return this.#takeOutgoing(id)
  }

  /** What is on its way, or has failed. */
  get outgoing(): readonly Said[] {
    return this.#outgoing
  }

  /** Shows a change of an own message that is asked for, or what became of it: none if it is taken. */
  change(id: number, change: Change | undefined): void {
    const said = this.find(id)
    if (!said) return
    const { change: _, ...rest } = said
    this.#replace(said, change ? { ...rest, change } : rest)
  }

  /** The router has taken a change. */
  changed(id: number, content: string | undefined): void {
    const said = this.find(id)
    if (!said) return
    const { change: _, ...rest } = said
    this.#replace(said, content === undefined ? deleted(rest) : { ...rest, content, isEdited: true })
  }

  #message(message: ReceivedMessage, now: number): Entry | undefined {
    const { seq, source, sender, replyTo, event } = message
    if (seq !== undefined && this.#bySeq.has(seq)) return undefined
    if (message.own && this.#settleDoubtful(message)) return undefined
    const said: Said = {
      type: 'said',
      id: this.#nextId(),
      time: message.time ?? now,
      source,
      content: message.content,
      attachments: message.attachments,
      isEdited: false,
      isDeleted: false,
      isMine: source === this.#name && sender === undefined,
      outcomes: [],
      ...(seq !== undefined && { seq }),
      ...(sender && { sender }),
      ...this.#answering(replyTo),
      ...(event !== undefined && { event }),
    }
    this.#insert(said)
    return said
  }

  /** Something whose fate was unknown comes back as history: so it has arrived. */
  #settleDoubtful({ seq, time, content }: ReceivedMessage): boolean {
    const doubtful = this.#outgoing.find(
      ({ sent, content: text }) => sent?.type === 'failed' && sent.maybe && text === content,
    )
    if (!doubtful || seq === undefined || time === undefined) return false
    this.confirm(doubtful.id, { type: 'logged', seq, time })
    return true
  }

  #edit({ target, content }: ReceivedEdit): undefined {
    const said = this.#bySeq.get(target)
    if (said && !said.isDeleted) this.#replace(said, { ...said, content, isEdited: true })
  }

  #delete({ target }: ReceivedDelete): undefined {
    const said = this.#bySeq.get(target)
    if (said) this.#replace(said, deleted(said))
  }

  #receipt({ target, source, status, reason }: Receipt): undefined {
    const said = this.#bySeq.get(target)
    if (!said?.isMine) return
    const others = said.outcomes.filter((outcome) => outcome.source !== source)
    const outcome = { source, status, ...(reason !== undefined && { reason }) }
    this.#replace(said, { ...said, outcomes: [...others, outcome] })
  }

  #gap({ cause, missed }: Gap, now: number): Entry {
    if (cause === 'new-log') this.#beginAnew()
    const hole: Entry = { type: 'hole', id: this.#nextId(), time: now, cause, ...(missed !== undefined && { missed }) }
    this.#settled.push(hole)
    this.#all = undefined
    return hole
  }

  #answering(replyTo: number | undefined): Partial<Said> {
    const original = replyTo === undefined ? undefined : this.#bySeq.get(replyTo)?.id
    return { ...(replyTo !== undefined && { replyTo }), ...(original !== undefined && { original }) }
  }

  /** What was said before has no place in the new log: its old one is another message's. */
  #beginAnew(): void {
    this.#settled = this.#settled.map((entry) => {
      if (entry.type !== 'said') return entry
      const { seq: _, ...said } = entry
      this.#byId.set(said.id, said)
      return said
    })
    this.#bySeq.clear()
    this.#all = undefined
  }

  #insert(said: Said): void {
    let at = this.#settled.length
    if (said.seq !== undefined) {
      for (; at > 0; at -= 1) {
        const before = this.#settled[at - 1]
        // Whatever has no place was there before.
        if (before?.type !== 'said' || before.seq === undefined) break
        if (before.seq < said.seq) break
      }
      this.#bySeq.set(said.seq, said)
    }
    this.#byId.set(said.id, said)
    this.#settled.splice(at, 0, said)
    this.#characters += sizeOf(said)
    this.#all = undefined
    this.#trim()
  }

  #replace(old: Said, said: Said): void {
    if (said.seq !== undefined) this.#bySeq.set(said.seq, said)
    const place = this.#settled.lastIndexOf(old)
    if (place >= 0) {
      this.#byId.set(said.id, said)
      this.#settled[place] = said
      this.#characters += sizeOf(said) - sizeOf(old)
    }
    this.#all = undefined
    this.#trim()
  }

  #mark(id: number, sent: Sent): void {
    const said = this.#byId.get(id)
    const place = said ? this.#outgoing.indexOf(said) : -1
    if (!said || place < 0) return
    const marked = { ...said, sent }
    this.#byId.set(id, marked)
    this.#outgoing = this.#outgoing.with(place, marked)
    this.#all = undefined
  }

  #takeOutgoing(id: number): Said | undefined {
    const said = this.#outgoing.find((it) => it.id === id)
    if (!said) return undefined
    this.#byId.delete(id)
    this.#outgoing = this.#outgoing.filter((it) => it !== said)
    this.#all = undefined
    return said
  }

  #trim(): void {
    const { entries, characters } = this.#bounds
    if (this.#settled.length <= entries && this.#characters <= characters) return
    let count = 0
    for (let left = this.#characters; count < this.#settled.length - 1; count += 1) {
      if (this.#settled.length - count <= entries * 0.9 && left <= characters * 0.9) break
      left -= sizeOf(this.#settled[count])
    }
    for (const entry of this.#settled.splice(0, count)) {
      this.#characters -= sizeOf(entry)
      this.#byId.delete(entry.id)
      if (entry.type === 'said' && entry.seq !== undefined) this.#bySeq.delete(entry.seq)
    }
    this.#dropped += count
    this.#all = undefined
  }

  #nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }
}

const deleted = ({ change: _, outcomes: __, ...said }: Said): Said => ({
  ...said,
  content: '',
  attachments: [],
  isDeleted: true,
  outcomes: [],
})

/** About how much memory it takes, in characters. */
function sizeOf(entry: Entry | undefined): number {
  if (entry?.type !== 'said') return 0
  const { content, sender, attachments } = entry
  const person = sender ? sender.name.length + (sender.id?.length ?? 0) + (sender.avatar?.length ?? 0) : 0
  return attachments.reduce((sum, { url, name }) => sum + url.length + (name?.length ?? 0), content.length + person)
}
