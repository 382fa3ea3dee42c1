import { type Client, type ClientEvent, connect, type Message, MultichatError, type Options, start, type State, type WebSocketConstructor } from 'multichat'
import { connect as connectSlim } from 'multichat/slim'

const options: Options = { url: new URL('wss://example.org/'), name: 'a', key: async () => 'b', reconnect: false }

export function shown(event: ClientEvent): string {
  switch (event.type) {
    case 'message':
      return `${event.source} ${event.sender?.name} ${event.content} ${event.seq?.toFixed()} ${event.attachments[0]?.url}`
    case 'edit':
    case 'delete':
      return `${event.target} ${event.seq + event.time}`
    case 'receipt':
      return event.status === 'failed' ? event.reason ?? '' : ''
    case 'roster':
      return event.members.map(({ name, status, since }) => `${name} ${status} ${new Date(since)}`).join()
    case 'presence':
      return event.status === 'left' ? event.name : ''
    case 'gap':
      return `${event.cause} ${event.missed}`
    case 'refused':
      return event.code
    case 'lagged':
      return `${event.events}`
    case 'state':
      return stated(event.state)
  }
}

function stated(state: State): string {
  switch (state.type) {
    case 'waiting':
      return `${state.cause.explanation} ${state.retryIn} ${state.retryAt}`
    case 'online':
      return `${state.dialect} ${state.recovered} ${state.epoch}`
    case 'closed':
      return `${state.by} ${state.cause?.code}`
    case 'connecting':
    case 'registering':
      return `${state.attempt}`
    case 'draining':
      return ''
  }
}

export async function used(client: Client): Promise<void> {
  for await (const event of client) console.log(shown(event))
  for await (const event of client.events({ signal: AbortSignal.timeout(5) })) console.log(event.type)
  client.addEventListener('message', (event) => console.log(event.detail.content), { once: true })
  client.addEventListener('state', ({ detail }) => console.log(stated(detail.state)))
  client.addEventListener('gap', { handleEvent: ({ detail }) => console.log(detail.cause) })
  const disposable: AsyncDisposable = client
  const target: EventTarget = client
  const sent = await client.send('a')
  if (sent.type === 'logged') await client.edit(sent.seq, 'b')
  const number: number | undefined = sent.seq
  const message: Message = { content: 'a', attachments: [{ url: 'https://example.org/' }], replyTo: 5 }
  await client.send(message).catch((error: unknown) => {
    if (error instanceof MultichatError && error.unsent?.type === 'message') console.log(error.unsent.content, error.fate)
  })
  console.log(disposable, target, number, client.state.type)
  const { signal } = new AbortController()
  for (const wait of ['online', 'ready', 'flush', 'close', 'closed'] as const) await client[wait]({ signal })
  await client.drain(undefined, { signal })
  await client.drain(5)
}

export const bytes = connectSlim({ ...options, wasm: new Uint8Array() })
export const started: Client = start({ ...options, signal: new AbortController().signal })
export const connected: Promise<Client> = connect(options)

export const own: WebSocketConstructor = WebSocket

class Mute {
  readonly readyState = 1
  readonly bufferedAmount = 0
  addEventListener(): void {}
  removeEventListener(): void {}
  close(): void {}
}
// @ts-expect-error It cannot send.
export const mute: WebSocketConstructor = Mute
// @ts-expect-error There is no such event.
started.addEventListener('mesage', () => {})
// @ts-expect-error A message has no such type.
void started.send(5)
// @ts-expect-error The key is missing.
void connect({ url: '', name: '' })
// @ts-expect-error The wasm is missing.
void connectSlim(options)
// @ts-expect-error What comes is not to be changed.
started.state.type = 'online'
