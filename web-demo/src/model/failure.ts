// Why joining failed, in words for who sits before the page, and what to do.

import { isForeign, type PageAddress } from './place.ts'

/** Which field of the form it is about, if it is about one. */
export type Field = 'server' | 'name' | 'key' | 'path'

export interface Failure {
  readonly title: string
  readonly advice: string
  readonly field?: Field
}

/** What is known of an error of the package. */
export interface Cause {
  readonly code: string
  readonly explanation: string
}

/** The words for it. `server` is the address that was tried. */
export function failureOf({ code, explanation }: Cause, server: string, page: PageAddress): Failure {
  const origin = `${page.protocol}//${page.host}`
  switch (code) {
    case 'unauthorized':
      return {
        title: 'The router does not accept this key',
        advice:
          'Check the key and the name: the router has one key for all, or one for each name. Who runs it knows them.',
        field: 'key',
      }
    case 'key-probably-refused':
      return {
        title: 'The router hung up when it was told the key',
        advice: 'The key is probably wrong. Who runs the router knows it.',
        field: 'key',
      }
    case 'revoked':
      return {
        title: 'The key is no longer valid',
        advice: 'It was changed or taken away. Ask who runs the router for a new one.',
        field: 'key',
      }
    case 'invalid-key':
      return { title: 'This cannot be the key', advice: explanation, field: 'key' }
    case 'invalid-name':
    case 'bad-register':
      return {
        title: 'The router does not take this name',
        advice: 'A name has 1 to 64 bytes, and no line breaks or other control characters. Choose another.',
        field: 'name',
      }
    case 'invalid-url':
      return {
        title: 'This is not the address of a router',
        advice: 'It looks like wss://chat.example.org/ or ws://127.0.0.1:6780/.',
        field: 'server',
      }
    case 'unreachable':
      return isForeign(server, page)
        ? {
            title: 'The router cannot be reached, or refuses this page',
            advice:
              `Check that it runs at this address. If it does, it does not let pages from ${origin} connect: ` +
              `who runs it adds "${origin}" to allowed-origins in its configuration.`,
            field: 'server',
          }
        : {
            title: 'The router cannot be reached',
            advice: 'Check the address, the port and the path of the room, and that the router is running.',
            field: 'server',
          }
    case 'mixed-content':
      return {
        title: 'A secure page cannot use an insecure router',
        advice: 'This page came by https, so the address has to begin with wss://. Or open the page by http.',
        field: 'server',
      }
    case 'timeout':
    case 'lost':
      return {
        title: 'The router does not answer',
        advice: 'Something accepts the connection, but says nothing. Check the address, or try again in a moment.',
        field: 'server',
      }
    case 'no-router':
      return {
        title: 'There is no multichat router at this address',
        advice: 'Something else answers there. Check the address and the path of the room.',
        field: 'server',
      }
    case 'overloaded':
    case 'rate-limited':
      return {
        title: 'The router is busy',
        advice: 'It has too many connections at the moment. Try again in a minute.',
      }
    case 'going-away':
      return {
        title: 'The router is restarting, or this room is gone',
        advice: 'Try again in a moment. If that does not help, ask who runs the router for the room.',
      }
    case 'wasm-blocked':
      return {
        title: 'This browser does not let the page run WebAssembly',
        advice:
          'The chat needs it. It may be switched off, as in a lockdown mode; or the policy that the page was sent with ' +
          "lacks 'wasm-unsafe-eval' in its script-src.",
      }
    case 'wasm-unavailable':
      return {
        title: 'A part of the page could not be loaded',
        advice: 'The network failed, or the page was updated meanwhile. Load the page anew.',
      }
    case 'no-websocket':
      return { title: 'This browser has no WebSocket', advice: 'The chat needs it. Use a newer browser.' }
    default:
      return { title: 'That did not work', advice: explanation }
  }
}

/** What goes on when the line is down: short, for a banner. */
export function interruption({ code }: Cause): string {
  switch (code) {
    case 'unreachable':
      return 'The router cannot be reached.'
    case 'going-away':
      return 'The router is restarting, or this room is gone.'
    case 'timeout':
      return 'The router does not answer.'
    case 'slow-consumer':
      return 'This connection was too slow.'
    case 'overloaded':
    case 'rate-limited':
      return 'The router is busy.'
    case 'key-probably-refused':
      return 'The router hung up; the key may have been changed.'
    default:
      return 'The connection was lost.'
  }
}

/** Why something was not sent, or not changed: short, to stand beside it. */
export function refusal({ code, explanation }: Cause): string {
  switch (code) {
    case 'fate-unknown':
      return 'The connection broke, and it may have arrived.'
    case 'log-changed':
      return 'The router has begun anew, and what it was about is gone.'
    case 'too-big':
      return 'It is longer than the router allows.'
    case 'rate-limited':
      return 'That was too much at once.'
    case 'outbox-full':
      return 'Too much is waiting to be sent.'
    case 'not-allowed':
      return 'The router does not allow it: it was said in another session.'
    case 'unknown-target':
      return 'The router does not hold that message any more.'
    case 'not-in-plain':
      return 'This router knows only plain texts.'
    case 'closed':
      return 'The connection was ended.'
    default:
      return explanation
  }
}
