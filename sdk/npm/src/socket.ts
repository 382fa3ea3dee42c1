import { soon } from './soon.js'
import type { WebSocketConstructor } from './types.js'

type Socket = InstanceType<WebSocketConstructor> & { failure?: string }

let given: WebSocketConstructor | undefined
const open = new Set<Socket>()

/** Has all clients use this WebSocket; `undefined` changes nothing. */
export function provide(implementation: WebSocketConstructor | undefined): void {
  given = implementation ?? given
}

/** Closes every connection. */
export function closeAll(): void {
  for (const socket of open) socket.close()
}

/** Stands in for the global of this name in all of the package (see `inject` in scripts/build.mjs). */
export const WebSocket = function (url: string): Socket {
  const Implementation = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket
  if (!Implementation) throw new ReferenceError('WebSocket is not defined')
  const socket: Socket = new Implementation(url)
  open.add(socket)
  socket.addEventListener('close', () => open.delete(socket))
  // An error that nobody listens to ends a program on Node.js, and the client stops listening when it is done
  // with a connection. A browser says nothing in it; others do, and sdk/src/transport/web.rs tells it.
  socket.addEventListener('error', ({ message }) => {
    if (typeof message === 'string' && message) socket.failure = message
  })
  gather(socket)
  return socket
}

/**
 * Has messages that come close upon one another reach the wasm together: each time that it is called costs more than
 * what it does there for one. The first is not held up. The wasm has one listener to messages.
 */
function gather(socket: Socket): void {
  const { addEventListener, removeEventListener } = socket
  let listener: ((event: unknown) => void) | undefined
  let waiting: unknown[] = []
  let isPaused = false
  const pass = () => {
    const events = waiting
    waiting = []
    for (const event of events) listener?.(event)
  }
  const goOn = () => {
    isPaused = waiting.length > 0
    pass()
    if (isPaused) soon(goOn)
  }
  socket.addEventListener('message', (event) => {
    waiting.push(event)
    if (isPaused) return
    isPaused = true
    pass()
    soon(goOn)
  })
  // What came before the end is told before it.
  socket.addEventListener('error', pass)
  socket.addEventListener('close', pass)
  socket.addEventListener = (type, added) => {
    if (type === 'message') listener = added
    else addEventListener.call(socket, type, added)
  }
  socket.removeEventListener = (type, removed) => {
    if (type === 'message') listener = undefined
    else removeEventListener.call(socket, type, removed)
  }
}
