// What the reader has not seen yet.

export interface Unread {
  /** How many messages. */
  readonly count: number
  /** The first of them, or what was the first when the reader came back: there the line is drawn. */
  readonly line?: number
}

export const NOTHING: Unread = { count: 0 }

/** A message has come, and the reader does not see it. A line that was read is drawn anew. */
export function arrived(unread: Unread, id: number): Unread {
  if (unread.count === 0 || unread.line === undefined) return { count: unread.count + 1, line: id }
  return { ...unread, count: unread.count + 1 }
}

/** The reader is there and at the end. The line stays for orientation. */
export function seen(unread: Unread): Unread {
  return unread.count === 0 ? unread : { ...unread, count: 0 }
}

/** The reader has said something, and needs no line any more. */
export const answered = (): Unread => NOTHING

/** The title of the page. */
export function titleOf(unread: number, place: string): string {
  const count = unread > 99 ? '99+' : String(unread)
  return `${unread > 0 ? `(${count}) ` : ''}${place ? `${place} · ` : ''}multichat`
}

/** What the pill says. */
export const newMessages = (count: number): string => `${count} new ${count === 1 ? 'message' : 'messages'}`
