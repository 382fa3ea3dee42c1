import type { Attachment, Gap, Sender } from 'multichat/slim'

/** What became of a message that this page sent. */
export type Sent =
  | { readonly type: 'pending' }
  | { readonly type: 'sent' }
  | {
      readonly type: 'failed'
      /** In words. */
      readonly why: string
      /** Whether it may have arrived all the same. */
      readonly maybe: boolean
    }

/** A change of an own message that the router has not taken yet, or not at all. */
export interface Change {
  /** The new text; none if it is to be deleted. */
  readonly content: string | undefined
  /** Why it was not taken; none while it is not known. */
  readonly failed?: string
}

/** What another platform made of an own message. */
export interface Outcome {
  readonly source: string
  readonly status: 'delivered' | 'failed'
  readonly reason?: string
}

/** Something that was said, or that happened. Never changed: what is new is a new one with the same `id`. */
export interface Said {
  readonly type: 'said'
  /** Of this page alone. Stays the same whatever becomes of it. */
  readonly id: number
  /** Its place in the router's log, once that is known. */
  readonly seq?: number
  readonly time: number
  /** The name of the client that said it. */
  readonly source: string
  readonly sender?: Sender
  readonly content: string
  readonly replyTo?: number
  /** What it answers, by the number of this page: it stays right when the router begins a new log. */
  readonly original?: number
  readonly attachments: readonly Attachment[]
  readonly event?: string
  readonly isEdited: boolean
  readonly isDeleted: boolean
  /** Whether it was said under the name that this page has. */
  readonly isMine: boolean
  /** If this page sent it. */
  readonly sent?: Sent
  readonly change?: Change
  readonly outcomes: readonly Outcome[]
}

/** A place in the log where something may be missing. */
export interface Hole {
  readonly type: 'hole'
  readonly id: number
  readonly time: number
  readonly cause: Gap['cause']
  readonly missed?: number
}

export type Entry = Said | Hole

/** After how long the same person's next message has a head of its own. */
const PAUSE = 5 * 60_000

/** Whether an entry belongs under the head of the one before it: the same person, soon after, and no event. */
export function continues(before: Entry | undefined, entry: Entry): boolean {
  return (
    before?.type === 'said' &&
    entry.type === 'said' &&
    before.source === entry.source &&
    before.sender?.name === entry.sender?.name &&
    before.sender?.id === entry.sender?.id &&
    before.isMine === entry.isMine &&
    before.event === undefined &&
    entry.event === undefined &&
    Math.abs(entry.time - before.time) < PAUSE
  )
}

/** Who said it, as it was given. */
export const authorOf = (said: Said): string => said.sender?.name ?? said.source

/** Whether this page may change it: it said it, and the router has it. */
export const isChangeable = (said: Said): boolean =>
  said.sent?.type === 'sent' && said.seq !== undefined && !said.isDeleted

/** Whether it can be answered. */
export const isAnswerable = (said: Said): boolean => said.seq !== undefined && !said.isDeleted
