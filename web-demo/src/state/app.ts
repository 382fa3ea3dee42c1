// The page as a whole: the form, or the chat.

import { signal } from '@preact/signals'
import { MultichatError } from 'multichat/slim'
import { type Failure, failureOf } from '../model/failure.ts'
import { friendlyName } from '../model/names.ts'
import { asPath, asServer, invitation, type Place, serverOf, withoutKey } from '../model/place.ts'
import { forgetKey, keepDraft, keepName, keepPlace, keptDraft, keptName, keptPlace } from './kept.ts'
import { join, type Session } from './session.ts'

/** What the form has. */
export interface Form extends Place {
  /** Whether the browser is to keep the key. */
  readonly keepKey: boolean
}

/** The chat, once it was joined. */
export const session = signal<Session | undefined>(undefined)
export const form = signal<Form>({ server: '', name: '', key: '', path: '', keepKey: false })
/** Why the last attempt failed. Each failure is another object, so that it is told each time. */
export const failure = signal<Failure | undefined>(undefined)
export const isJoining = signal(false)

let attempt: AbortController | undefined

/** Fills the form in, and joins if all that it takes is there. */
export function begin(): void {
  // A link that is opened in a tab which shows the page already loads nothing.
  addEventListener('hashchange', takeInvitation)
  if (takeInvitation()) return
  const kept = keptPlace()
  const { server = serverOf(location), path = '', key = '' } = kept ?? {}
  form.value = { server, path, key, name: keptName() ?? kept?.name ?? '', keepKey: key !== '' }
  if (key) void enter()
}

/** Joins by the page's address, if that has a key and nobody has joined yet. */
function takeInvitation(): boolean {
  const invited = invitation(location.hash)
  if (!invited) return false
  // So that the key stays in no history, is in no picture of the screen, and is passed on with no link.
  history.replaceState(history.state, '', location.pathname + location.search + withoutKey(location.hash))
  if (session.value || isJoining.value) return true
  const name = invited.name ?? keptName() ?? friendlyName(Math.random)
  form.value = { server: serverOf(location), path: '', ...invited, name, keepKey: false }
  void enter()
  return true
}

/** Joins by what is in the form. */
export async function enter(): Promise<void> {
  if (isJoining.value) return
  const { keepKey, ...typed } = form.value
  const place = {
    ...typed,
    name: typed.name.trim(),
    server: asServer(typed.server, location),
    path: asPath(typed.path),
  }
  attempt = new AbortController()
  isJoining.value = true
  failure.value = undefined
  try {
    session.value = await join(place, attempt.signal)
    keepPlace(place, keepKey)
    keepName(place.name)
  } catch (error) {
    if (!attempt.signal.aborted) failure.value = wordsFor(error, place.server)
  } finally {
    isJoining.value = false
  }
}

/** Gives the attempt up. */
export function cancel(): void {
  attempt?.abort()
}

/** Goes back to the form. Whoever leaves will not be joined again unasked, so the key is forgotten. */
export async function leave(): Promise<void> {
  const left = putAside()
  failure.value = undefined
  forgetKey()
  form.value = { ...form.value, key: '', keepKey: false }
  await left?.leave()
}

/** After the router has ended it: joins again by what was in the form. */
export async function rejoin(): Promise<void> {
  await putAside()?.leave()
  await enter()
}

/** Shows the form in place of the chat. What was not sent is written next time. */
function putAside(): Session | undefined {
  const left = session.value
  if (left) keepDraft([keptDraft(), ...left.unsentTexts()].filter((text) => text !== '').join('\n'))
  session.value = undefined
  return left
}

function wordsFor(error: unknown, server: string): Failure {
  const cause = error instanceof MultichatError ? error : { code: 'internal', explanation: String(error) }
  return failureOf(cause, server, location)
}
