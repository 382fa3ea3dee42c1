import { Core } from 'multichat-glue'
import type { Options, Sender, Unsent } from './types.js'

/** What goes over the border to the wasm has to be of the right type there: whatever else comes is an error here. */
const fault = (name: string, expected: string): never => {
  throw new TypeError(`multichat: ${name} has to be ${expected}`)
}

const text = (name: string, value: unknown): string =>
  typeof value === 'string' ? value : fault(name, 'a string')

const maybe = (name: string, value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : text(name, value)

/** The `seq` of a message. */
const target = (value: unknown): number =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fault('a seq', 'a whole number')

/** A number of 32 bits; what is larger means as much as possible. The largest stands for none. */
export function whole(name: string, value: number | undefined, none = 2 ** 32 - 1): number {
  if (value === undefined) return none
  if (!(value >= 0)) fault(name, 'a number, and not below 0')
  return Math.min(Math.round(value), 2 ** 32 - 2)
}

/** Has the wasm send it. What is wrong with it in a way that no type tells, the wasm says. */
export function sending(it: Unsent): (core: Core, ticket: number) => void {
  switch (it.type) {
    case 'message': {
      const content = maybe('content', it.content) ?? ''
      const extras = it.sender || it.replyTo !== undefined || it.attachments || it.event !== undefined
      const checked = extras ? extrasOf(it) : undefined
      return (core, ticket) => core.message(ticket, content, checked)
    }
    case 'edit': {
      const [message, content] = [target(it.target), text('content', it.content)]
      return (core, ticket) => core.edit(ticket, message, content)
    }
    case 'delete': {
      const message = target(it.target)
      return (core, ticket) => core.delete(ticket, message)
    }
    case 'receipt': {
      const [message, reason, remoteId] = [target(it.target), maybe('reason', it.reason), maybe('remoteId', it.remoteId)]
      if (it.status !== 'delivered' && it.status !== 'failed') fault('status', 'delivered or failed')
      return (core, ticket) => core.report(ticket, message, it.status === 'delivered', reason, remoteId)
    }
    case 'status': {
      // In the order of `Status::ALL` in sdk/src/protocol/words.rs.
      const status = ['online', 'degraded', 'offline'].indexOf(it.status)
      if (status < 0) fault('status', 'online, degraded or offline')
      const more = maybe('text', it.text)
      return (core, ticket) => core.status(ticket, status, more)
    }
  }
}

function extrasOf({ sender, replyTo, attachments, event }: Unsent & { type: 'message' }): object {
  const person = ({ name, id, avatar }: Sender) => ({
    name: text('sender.name', name),
    id: maybe('sender.id', id),
    avatar: maybe('sender.avatar', avatar),
  })
  const number = (value: number | null | undefined) => (value === undefined || value === null ? NaN : target(value))
  const files = attachments?.map(({ url, name, mime, size }) => ({
    url: text('url', url),
    name: maybe('name', name),
    mime: maybe('mime', mime),
    size: number(size),
  }))
  return {
    sender: sender && person(sender),
    replyTo: number(replyTo),
    attachments: files,
    event: maybe('event', event),
  }
}

/** What the wasm asks for the key. */
const asking = (key: Options['key']) => async (): Promise<string> => {
  try {
    return text('the key', typeof key === 'function' ? await key() : key)
  } catch (error) {
    throw error instanceof Error ? error.message : String(error)
  }
}

/** How to make the core of such a client. */
export function core(options: Options, once: boolean, sink: (batch: string) => void): () => Core {
  const { key, reconnect, timeouts, outbox } = options
  const url = String(options.url)
  const name = text('name', options.name)
  const room = maybe('room', options.room)
  // That one is no key, the wasm is told by there being none.
  const ask = typeof key !== 'function' && text('key', key) === '' ? undefined : asking(key)
  const policy = reconnect === false ? { attempts: 0 } : reconnect
  const attempts = policy?.attempts === Infinity ? undefined : policy?.attempts
  // In the order of `settings` in sdk/src/js.rs.
  const numbers = Uint32Array.of(
    Number(once),
    Number(options.presence ?? false),
    whole('history', options.history, 0),
    whole('reconnect.first', policy?.first),
    whole('reconnect.longest', policy?.longest),
    whole('reconnect.attempts', attempts),
    whole('timeouts.connect', timeouts?.connect),
    whole('timeouts.register', timeouts?.register),
    whole('timeouts.ack', timeouts?.ack),
    whole('timeouts.close', timeouts?.close),
    whole('outbox.messages', outbox?.messages),
    whole('outbox.bytes', outbox?.bytes),
    Number(outbox?.whenFull === 'drop-oldest'),
  )
  return () => new Core(url, name, room, ask, sink, numbers)
}
