import type { WebSocketConstructor } from './types.js'

type Socket = InstanceType<WebSocketConstructor>

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
  const socket = new Implementation(url)
  open.add(socket)
  socket.addEventListener('close', () => open.delete(socket))
  // An error that nobody listens to ends a program on Node.js, and the client stops listening when it is done
  // with a connection.
  socket.addEventListener('error', () => {})
  return socket
}
