// A client without a page: packets as they are, so that the tests see what others get of what the page says.

import { once } from 'node:events'
import WebSocket from 'ws'
import { KEY, type Router } from './router.ts'

/** What the router sends; which fields there are depends on the action. */
export interface Packet {
  readonly action: string
  readonly content?: string
  readonly id?: string
  readonly seq?: number
  readonly target?: number
  readonly status?: string
  readonly code?: string
  readonly 'source-client-name'?: string
  readonly 'reply-to'?: number
  readonly sender?: { readonly name: string }
}

export class Client {
  readonly #socket: WebSocket
  readonly #inbox: Packet[] = []
  #arrival = later()
  #isClosed = false
  #count = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data) => {
      this.#inbox.push(JSON.parse(String(data)))
      this.#wake()
    })
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
    // Whoever waits for a packet is told by the close.
    socket.on('error', () => {})
  }

  /** Joins in the original dialect. */
  static plain(router: Router, name: string): Promise<Client> {
    return Client.#register(router, { 'client-name': name })
  }

  /** Joins in the rich dialect. */
  static rich(router: Router, name: string, fields: object = {}): Promise<Client> {
    return Client.#register(router, { 'client-name': name, protocol: 2, ...fields })
  }

  static async #register(router: Router, fields: object): Promise<Client> {
    const socket = new WebSocket(router.url)
    const client = new Client(socket)
    await once(socket, 'open')
    client.write({ action: 'register', 'secret-key': KEY, ...fields })
    await client.next('register-ack')
    return client
  }

  /** Sends a packet. */
  write(packet: object): void {
    this.#socket.send(JSON.stringify(packet))
  }

  /** Says something, and is not told what became of it. */
  say(content: string, fields: object = {}): void {
    this.write({ action: 'client-message', content, ...fields })
  }

  /** Says something in the rich dialect. Resolves to its place in the log. */
  async post(content: string, fields: object = {}): Promise<number> {
    this.#count += 1
    const id = `id-${this.#count}`
    this.say(content, { id, ...fields })
    const { seq } = await this.next('message-ack', (packet) => packet.id === id)
    if (seq === undefined) throw new Error('an ack without a place')
    return seq
  }

  /** The next packet of this kind; those before it, of other kinds, stay for later. */
  async next(action: string, matches: (packet: Packet) => boolean = () => true): Promise<Packet> {
    for (;;) {
      const at = this.#inbox.findIndex((packet) => packet.action === action && matches(packet))
      const [found] = at < 0 ? [] : this.#inbox.splice(at, 1)
      if (found) return found
      if (this.#isClosed)
        throw new Error(`closed while waiting for ${action}; there was ${JSON.stringify(this.#inbox)}`)
      await this.#arrival.promise
    }
  }

  /** The next message whose content is this, or just the next. */
  hear(content?: string): Promise<Packet> {
    return this.next('forwarding-message', (packet) => content === undefined || packet.content === content)
  }

  close(): void {
    this.#socket.close()
  }

  #wake(): void {
    const { resolve } = this.#arrival
    this.#arrival = later()
    resolve()
  }
}

function later(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((it) => {
    resolve = it
  })
  return { promise, resolve }
}
