// A line to the router that can be cut, while the router goes on.

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Router } from './router.ts'

export class Cable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false
  /** So many connections were tried. */
  attempts = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async lay(router: Router): Promise<Cable> {
    const server = createServer()
    const cable = new Cable(server)
    server.on('connection', (near) => {
      cable.attempts += 1
      if (cable.#isCut) {
        near.destroy()
        return
      }
      const far = connect(router.port, '127.0.0.1')
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        cable.#sockets.add(socket)
        socket.on('close', () => {
          cable.#sockets.delete(socket)
          other.destroy()
        })
        // The close tells.
        socket.on('error', () => {})
        socket.pipe(other)
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return cable
  }

  /** The page's address at this end. */
  get page(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return `http://127.0.0.1:${address.port}/`
  }

  /** Ends all connections, and those that come. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#isCut = false
  }

  end(): void {
    this.cut()
    this.#server.close()
  }
}
