// Where to join, and as whom: what the page's own address says, and what a form has.

/** What it takes to join. */
export interface Place {
  /** The router's address. */
  readonly server: string
  readonly name: string
  readonly key: string
  /** The path of the room; empty: that of the address. */
  readonly path: string
}

/** What of the page's address is looked at. */
export interface PageAddress {
  readonly protocol: string
  readonly host: string
  readonly hash: string
}

/** The router that the page probably came from. */
export function serverOf({ protocol, host }: PageAddress): string {
  if (!host) return 'ws://127.0.0.1:6780/'
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/`
}

/** What a link can say. Not the router's address: nobody shall be led to another by a link to this page. */
export interface Invitation extends Partial<Omit<Place, 'server'>> {
  readonly key: string
}

/** What the fragment of a link says, as in `#key=…&name=…&path=…`; none if it has no key. */
export function invitation(hash: string): Invitation | undefined {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const key = fields.get('key')
  if (!key) return undefined
  const [name, path] = [fields.get('name'), fields.get('path')]
  return { key, ...(name && { name }), ...(path && { path }) }
}

/** The fragment without the key. */
export function withoutKey(hash: string): string {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  fields.delete('key')
  const left = fields.toString()
  return left ? `#${left}` : ''
}

/** An address as it was meant: with a scheme, and with ws in place of http. */
export function asServer(typed: string, { protocol }: Pick<PageAddress, 'protocol'>): string {
  const address = typed.trim()
  if (/^https?:\/\//i.test(address)) return address.replace(/^http/i, 'ws')
  if (/^wss?:\/\//i.test(address) || address === '') return address
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return address
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${address}`
}

/** A path as it was meant. */
export function asPath(typed: string): string {
  const path = typed.trim()
  return path === '' || path.startsWith('/') ? path : `/${path}`
}

/** What to call the place, for a title: the host, and the room if there is one. */
export function titleOfPlace({ server, path }: Pick<Place, 'server' | 'path'>): string {
  try {
    const url = new URL(server)
    const room = path || url.pathname
    return `${url.host}${room === '/' ? '' : room}`
  } catch {
    return server
  }
}

/** Whether the page came from another host than the router's: then the router has to allow it. */
export function isForeign(server: string, page: PageAddress): boolean {
  try {
    return new URL(server).host !== page.host
  } catch {
    return false
  }
}
