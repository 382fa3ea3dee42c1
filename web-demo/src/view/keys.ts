// The keys of the log, for who does without a mouse.

import type { Said } from '../model/entry.ts'
import type { Chat } from '../state/chat.ts'

/** What the dialog tells of them. */
export const KEYS = {
  'While you write': [
    ['Enter', 'send'],
    ['Shift + Enter', 'a new line'],
    ['↑ in the empty field', 'edit your last message'],
    ['Escape', 'stop replying or editing'],
    ['Shift + Tab', 'to the messages'],
  ],
  'On a message': [
    ['↑ ↓ Home End', 'to another message'],
    ['R', 'reply'],
    ['E', 'edit, if it is yours'],
    ['Delete', 'delete, if it is yours'],
    ['Tab', 'to its links and buttons'],
    ['Escape', 'back to the field'],
  ],
} as const

export function onLogKey(event: KeyboardEvent, chat: Chat): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  const message = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-id]') : null
  if (!message) return
  // Whoever has clicked on a message and types wants to write, not to press the keys of messages.
  if (event.key.length > 1) chat.isByPointer = false
  else if (event.target === message && chat.isByPointer) {
    chat.write()
    return
  }
  // On a button or a link within a message the keys are those of buttons and links, but for leaving.
  const isOnMessage = event.target === message
  const said = chat.session.log.find(Number(message.dataset.id))
  if (event.key !== 'Escape' && !isOnMessage) return
  if (act(event.key, message, said, chat)) event.preventDefault()
}

/** Whether the key means something. */
function act(key: string, message: HTMLElement, said: Said | undefined, chat: Chat): boolean {
  const all = () => Array.from(message.closest('[role=log]')?.querySelectorAll<HTMLElement>('[data-id]') ?? [])
  const go = (to: HTMLElement | undefined) => {
    to?.focus()
    to?.scrollIntoView({ block: 'nearest' })
    return true
  }
  switch (key) {
    case 'ArrowUp':
      return go(all()[all().indexOf(message) - 1])
    case 'ArrowDown':
      return go(all()[all().indexOf(message) + 1])
    case 'Home':
      return go(all()[0])
    case 'End':
      return go(all().at(-1))
    case 'Escape':
      chat.write()
      return true
    case 'r':
    case 'R':
      if (said) chat.reply(said)
      return true
    case 'e':
    case 'E':
      chat.edit(said)
      return true
    case 'Delete':
    case 'Backspace':
      if (said) chat.askToDelete(said)
      return true
    default:
      return false
  }
}
