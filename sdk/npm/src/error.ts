import type { Unsent } from './types.js'

/** The codes that there are; a later version, or a later router, may have more. */
export type ErrorCode =
  // The way to the router.
  | 'invalid-url'
  | 'invalid-name'
  | 'invalid-key'
  | 'key-unavailable'
  | 'unreachable'
  | 'mixed-content'
  | 'no-websocket'
  | 'timeout'
  | 'lost'
  | 'key-probably-refused'
  | 'no-router'
  | 'message-too-big'
  // What the router closed the connection with.
  | 'unauthorized'
  | 'bad-register'
  | 'revoked'
  | 'replaced'
  | 'overloaded'
  | 'going-away'
  | 'register-timeout'
  | 'slow-consumer'
  | 'rate-limited'
  | 'too-big'
  | 'policy'
  | 'protocol-error'
  | 'binary'
  | 'utf-8'
  // What became of something that was sent.
  | 'bad-packet'
  | 'empty-content'
  | 'bad-attachment'
  | 'unknown-target'
  | 'not-allowed'
  | 'unknown-action'
  | 'outbox-full'
  | 'fate-unknown'
  | 'log-changed'
  | 'not-in-plain'
  | 'closed'
  // This package.
  | 'wasm-blocked'
  | 'wasm-unavailable'
  | 'internal'
  | (string & {})

/** All that is known of a failure. */
export interface Failure {
  code: ErrorCode
  message: string
  explanation: string
  retryable: boolean
  fate?: 'not-sent' | 'unknown' | undefined
  unsent?: Unsent | undefined
}

/** What every failure of this package is told by. */
export class MultichatError extends Error {
  /** A word for programs, the same in all versions: `unauthorized`, `unreachable`, `outbox-full`. */
  readonly code: ErrorCode
  /** What it means and what to do about it, in plain words. */
  readonly explanation: string
  /** Whether the same may succeed later, without a change. */
  readonly retryable: boolean
  /** What was to be sent, handed back. */
  readonly unsent: Unsent | undefined
  /** Of `unsent`: `unknown` means that it may have arrived nevertheless, so sending it again may double it. */
  readonly fate: 'not-sent' | 'unknown' | undefined

  /** The text of `unsent`; empty if it has none. */
  get text(): string {
    return (this.unsent && 'content' in this.unsent && this.unsent.content) || ''
  }

  /** @internal */
  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, cause === undefined ? undefined : { cause })
    this.code = failure.code
    this.explanation = failure.explanation
    this.retryable = failure.retryable
    this.unsent = failure.unsent
    this.fate = failure.fate
  }

  static {
    // As it is in the source, whatever a minifier calls it.
    Object.defineProperty(this, 'name', { value: 'MultichatError' })
    this.prototype.name = 'MultichatError'
  }
}

/** The client was closed before, or while, something was asked of it. */
export function closed(unsent?: Unsent, cause?: MultichatError): MultichatError {
  const message = 'the client is closed'
  const why = cause ? ` (${cause.code})` : ''
  const explanation = `${message}${why}. Make another one to go on.`
  return new MultichatError({ code: 'closed', message, explanation, retryable: false, unsent, fate: unsent && 'not-sent' }, cause)
}
