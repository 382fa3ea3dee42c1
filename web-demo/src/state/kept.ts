// What the browser keeps from one visit to the next. A browser may refuse to keep anything: then so be it.

import type { Place } from '../model/place.ts'

export interface Kept extends Omit<Place, 'key'> {
  /** Only if that was asked for. */
  readonly key?: string
}

const PLACE = 'multichat.place'
const NAME = 'multichat.name'
const DRAFT = 'multichat.draft'

/** It is kept with every key that is pressed. */
const LONGEST_DRAFT = 100_000

/** The last place that was joined. */
export function keptPlace(): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(read('localStorage', PLACE) ?? 'null')
    if (typeof kept !== 'object' || kept === null) return undefined
    const { server, name, path, key } = kept as Record<string, unknown>
    const isPlace = typeof server === 'string' && typeof name === 'string' && typeof path === 'string'
    if (!isPlace) return undefined
    return { server, name, path, ...(typeof key === 'string' && key !== '' && { key }) }
  } catch {
    return undefined
  }
}

/** Keeps a place, and its key if that is wanted. */
export function keepPlace({ server, name, key, path }: Place, withKey: boolean): void {
  write('localStorage', PLACE, JSON.stringify({ server, name, path, ...(withKey && { key }) }))
}

/** Forgets the key. */
export function forgetKey(): void {
  const kept = keptPlace()
  if (kept) keepPlace({ ...kept, key: '' }, false)
}

/** The name that this tab was given, so that it is the same after loading it anew. */
export const keptName = (): string | undefined => read('sessionStorage', NAME) || undefined
export const keepName = (name: string): void => write('sessionStorage', NAME, name)

/** What was being written in this tab. */
export const keptDraft = (): string => read('sessionStorage', DRAFT) ?? ''
export const keepDraft = (text: string): void =>
  write('sessionStorage', DRAFT, text.length <= LONGEST_DRAFT ? text : '')

type Storage = 'localStorage' | 'sessionStorage'

function read(storage: Storage, name: string): string | null {
  try {
    return globalThis[storage].getItem(name)
  } catch {
    return null
  }
}

function write(storage: Storage, name: string, text: string): void {
  try {
    globalThis[storage].setItem(name, text)
  } catch {
    // Too long, or not allowed: it is not kept then.
  }
}
