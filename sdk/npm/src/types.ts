import type { MultichatError } from './error.js'

/** Where the router is, and who you are there. All times are in milliseconds. */
export interface Options {
  /** The router's address: `wss://chat.example.org/`, or `ws://127.0.0.1:6780/` for one on this machine. */
  url: string | URL
  /** This client's name, such as `irc`. Everyone sees it beside what this client says. */
  name: string
  /**
   * The router's key; or a function that has it, which is asked before each attempt to connect. An attempt for which
   * it has none, or an empty one, has failed with `key-unavailable`, and there will be another.
   */
  key: string | (() => string | Promise<string>)
  /** The path of the room, in place of the address's own path. */
  room?: string | undefined
  /** How many of the newest entries of the room to get first. None unless changed. */
  history?: number | undefined
  /** Whether to be told who else is there. Not unless changed. */
  presence?: boolean | undefined
  /** When to connect again after a connection has failed; `false`: never. */
  reconnect?: Reconnect | false | undefined
  /** How long to wait for what. */
  timeouts?: Timeouts | undefined
  /** How much may wait to be sent and acknowledged. */
  outbox?: Outbox | undefined
  /**
   * How many events may wait for a slow `for await`, or for the first who asks; beyond that the oldest are dropped.
   * 8192 unless changed. `0` is for a client that sends only, or has listeners only: what comes while nobody waits
   * for it is not kept.
   */
  eventCapacity?: number | undefined
  /**
   * The WebSocket to use where there is none, as in Node.js 20: that of the package `ws`, say. It holds for
   * the whole program from then on, also for clients that are not given one; the last one given counts.
   */
  WebSocket?: WebSocketConstructor | undefined
  /** `connect`: gives up connecting. `start`: closes the client, whenever it is aborted. */
  signal?: AbortSignal | undefined
}

/** The waits are drawn at random, up to a bound that doubles with each failure. */
export interface Reconnect {
  /** The bound of the first wait. 500 unless changed. */
  first?: number | undefined
  /** What the bound grows to. 30000 unless changed. */
  longest?: number | undefined
  /**
   * How many attempts in a row to make after a first one that failed, or after a connection that broke, before giving
   * up. Any number unless changed.
   */
  attempts?: number | undefined
}

export interface Timeouts {
  /** For the key and the open connection, in all. 10000 unless changed. */
  connect?: number | undefined
  /** For the router's answer to the registration. 10000 unless changed. */
  register?: number | undefined
  /** For the ack of something that was sent; then the connection counts as dead. 30000 unless changed. */
  ack?: number | undefined
  /** For the answer to `close`. 5000 unless changed. */
  close?: number | undefined
}

export interface Outbox {
  /** The most messages. 1024 unless changed. */
  messages?: number | undefined
  /** The most bytes of text in them. 8 MiB unless changed. */
  bytes?: number | undefined
  /** What gives way: the new message is refused, or the oldest that were not sent yet are dropped. */
  whenFull?: 'refuse' | 'drop-oldest' | undefined
}

/** What is needed of a WebSocket: the browser's own, or that of the package `ws`. */
export type WebSocketConstructor = new (url: string) => {
  readonly readyState: number
  readonly bufferedAmount: number
  /** Of the events, what is read is `data` of a message, and `code` and `reason` of a close. */
  addEventListener(type: SocketEvent, listener: (event: any) => void): void
  removeEventListener(type: SocketEvent, listener: (event: any) => void): void
  send(text: string): void
  close(code?: number): void
}

type SocketEvent = 'open' | 'message' | 'error' | 'close'

/** Something to say. */
export interface Message {
  /** The text. Only with attachments it may be left out. */
  content?: string | undefined
  /** The person who says it. */
  sender?: Sender | undefined
  /** The `seq` of the message that it answers. */
  replyTo?: number | undefined
  /** Files, by reference; at most 10. */
  attachments?: readonly Attachment[] | undefined
  /** For what no person wrote: `join`, `leave`, `death`, `advancement`, `notice`, or another word. */
  event?: string | undefined
}

/** The person behind a bridge. */
export interface Sender {
  /** What to show. Written by strangers. */
  name: string
  /** What the platform calls the person. */
  id?: string | undefined
  /** The URL of a picture. */
  avatar?: string | undefined
}

/** A file that goes with a message, by reference. */
export interface Attachment {
  /** Where it is: an `http` or `https` URL. */
  url: string
  name?: string | undefined
  /** Its media type, as the sender says. */
  mime?: string | undefined
  /** Its bytes, as the sender says. */
  size?: number | undefined
}

/** What became of a message on your platform. */
export interface Report {
  status: 'delivered' | 'failed'
  /** Why it failed, for people. */
  reason?: string | undefined
  /** What your platform calls the message. */
  remoteId?: string | undefined
}

/** How a bridge's platform is. */
export type Status = 'online' | 'degraded' | 'offline'

/**
 * Where something that was sent has arrived: in the room's log, at the place `seq`; or, with a server that
 * knows no acks, on the wire.
 */
export type Confirmation =
  | { readonly type: 'logged'; readonly seq: number; readonly time: number }
  | { readonly type: 'written'; readonly seq?: undefined; readonly time?: undefined }

/** Something that was not confirmed, as it was given. */
export type Unsent =
  | ({ readonly type: 'message' } & Message)
  | { readonly type: 'edit'; readonly target: number; readonly content: string }
  | { readonly type: 'delete'; readonly target: number }
  | ({ readonly type: 'receipt'; readonly target: number } & Report)
  | { readonly type: 'status'; readonly status: Status; readonly text?: string | undefined }

/** Where a client stands with its router. */
export type State =
  | { readonly type: 'connecting'; /** Counts from 1. */ readonly attempt: number }
  | { readonly type: 'registering'; readonly attempt: number }
  | Online
  | Waiting
  /** It takes nothing new, and ends when all has been sent. */
  | { readonly type: 'draining' }
  | Closed

export interface Online {
  readonly type: 'online'
  /** What the server speaks: `plain` has texts alone, without acks, history, edits and the rest. */
  readonly dialect: 'rich' | 'plain'
  /** Whether it goes on where the last connection broke off, with nothing missing. */
  readonly recovered: boolean
  /** The name of the room's log: within it a `seq` has a meaning. */
  readonly epoch?: string
}

/** The connection failed, and is tried again by itself. */
export interface Waiting {
  readonly type: 'waiting'
  /** How often in a row it has failed; the end of a connection that lasted is the first time. */
  readonly attempt: number
  /** How long it will wait, in all. */
  readonly retryIn: number
  /** When that will be over, in milliseconds since 1970 as `Date.now()`. */
  readonly retryAt: number
  /** What happened. */
  readonly cause: MultichatError
}

/** The client has ended. */
export interface Closed {
  readonly type: 'closed'
  /** Who ended it. */
  readonly by: 'client' | 'server'
  /** Why, if it was not asked to. */
  readonly cause?: MultichatError
}

/** An entry of the room's log, and how it came here. */
interface Entry {
  /** The name of the client that said it: the bridge, not the person. */
  readonly source: string
  /** Its place in the log, by which replies, edits and deletes refer to it. */
  readonly seq: number
  /** When it was entered, in milliseconds since 1970. */
  readonly time: number
  /** Whether it is older than the present connection: history, or what was missed. */
  readonly replay: boolean
  /** Whether this client said it itself, in an earlier session; such comes with history only. */
  readonly own: boolean
}

/** Another client said something. In the plain dialect there is no `seq` and no `time`. */
export interface ReceivedMessage extends Omit<Entry, 'seq' | 'time'> {
  readonly type: 'message'
  /** Empty only if there are attachments. */
  readonly content: string
  readonly sender?: Sender
  readonly replyTo?: number
  readonly attachments: readonly Attachment[]
  readonly event?: string
  readonly seq?: number
  readonly time?: number
}

/** A message has another text now. */
export interface ReceivedEdit extends Entry {
  readonly type: 'edit'
  /** The `seq` of the message. */
  readonly target: number
  readonly content: string
}

/** A message was taken back. */
export interface ReceivedDelete extends Entry {
  readonly type: 'delete'
  /** The `seq` of the message. */
  readonly target: number
}

/** What became of a message of this client on another platform. */
export interface Receipt {
  readonly type: 'receipt'
  /** The name of the client that says so. */
  readonly source: string
  /** The `seq` of the message. */
  readonly target: number
  readonly status: 'delivered' | 'failed'
  readonly reason?: string
  readonly remoteId?: string
}

/** Another client that is there. */
export interface Member {
  readonly name: string
  readonly status: Status
  /** What it said about that. */
  readonly text?: string
  /** Since when, in milliseconds since 1970. */
  readonly since: number
}

/** All other clients, in place of what was known of them. Only with `presence`. */
export interface Roster {
  readonly type: 'roster'
  readonly members: readonly Member[]
}

/** How another client is now; `left`: it is gone. Only with `presence`. */
export interface Presence extends Omit<Member, 'status'> {
  readonly type: 'presence'
  readonly status: Status | 'left'
}

/** The router refused something that nobody waits for. */
export interface Refused {
  readonly type: 'refused'
  readonly code: string
  readonly reason: string
}

/** Messages may be missing here. */
export interface Gap {
  readonly type: 'gap'
  /**
   * `forgotten`: the router no longer held what was missed. `new-log`: the room has begun anew, and every
   * `seq` that was kept means nothing any more. `plain`: the server has no way to catch up.
   */
  readonly cause: 'forgotten' | 'new-log' | 'plain'
  /** How many entries, if that is known. */
  readonly missed?: number
}

/** A `for await` was too slow, and the oldest events were dropped. */
export interface Lagged {
  readonly type: 'lagged'
  /** How many. */
  readonly events: number
}

/** The client is in another state. */
export interface StateChange {
  readonly type: 'state'
  readonly state: State
}

/** What a client is told, in the order in which it came. */
export type ClientEvent =
  | StateChange
  | ReceivedMessage
  | ReceivedEdit
  | ReceivedDelete
  | Receipt
  | Roster
  | Presence
  | Refused
  | Gap
  | Lagged

/** For `addEventListener`: what the `detail` of an event of each type is. */
export type ClientEventMap = {
  [Type in ClientEvent['type']]: CustomEvent<Extract<ClientEvent, { type: Type }>>
}
