// What is being written, and what for. Pure: each step makes a new one.

export type Purpose =
  | { readonly type: 'new' }
  /** An answer to the message with this number. */
  | { readonly type: 'reply'; readonly id: number }
  /** A change of the own message with this number; `kept` is what was being written before. */
  | { readonly type: 'edit'; readonly id: number; readonly kept: string }

export interface Draft {
  readonly text: string
  readonly purpose: Purpose
}

export const EMPTY: Draft = { text: '', purpose: { type: 'new' } }

export const typed = (draft: Draft, text: string): Draft => ({ ...draft, text })

/** Begins an answer. What was written stays. */
export function replying(draft: Draft, id: number): Draft {
  return { text: unedited(draft), purpose: { type: 'reply', id } }
}

/** Begins a change of a message that has this text. */
export function editing(draft: Draft, id: number, text: string): Draft {
  return { text, purpose: { type: 'edit', id, kept: unedited(draft) } }
}

/** Goes back to a new message. */
export function cancelled(draft: Draft): Draft {
  return { text: unedited(draft), purpose: { type: 'new' } }
}

/** It was sent. Gives back what was being written before a change. */
export function finished(draft: Draft): Draft {
  return { text: draft.purpose.type === 'edit' ? draft.purpose.kept : '', purpose: { type: 'new' } }
}

/** Gives a text back that could not be sent, before what is being written meanwhile. */
export function returned(draft: Draft, text: string): Draft {
  return { ...draft, text: draft.text ? `${text}\n${draft.text}` : text }
}

/** Whether there is something to send. */
export const isSendable = ({ text }: Draft): boolean => text.trim() !== ''

const unedited = ({ text, purpose }: Draft): string => (purpose.type === 'edit' ? purpose.kept : text)

/** A key that was pressed in the composer. */
export interface Key {
  readonly key: string
  readonly shiftKey: boolean
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
  /** An input method takes the key for itself. */
  readonly isComposing: boolean
  /** 229 when an input method has taken it, in browsers that do not say so otherwise. */
  readonly keyCode: number
}

/** What a key means there; none: what it means to any field. */
export function meaning(key: Key, draft: Draft): 'send' | 'cancel' | 'edit-last' | undefined {
  if (key.isComposing || key.keyCode === 229) return undefined
  const isPlain = !(key.shiftKey || key.ctrlKey || key.altKey || key.metaKey)
  switch (key.key) {
    case 'Enter':
      return key.shiftKey || key.altKey ? undefined : 'send'
    case 'Escape':
      return draft.purpose.type === 'new' ? undefined : 'cancel'
    case 'ArrowUp':
      return isPlain && draft.text === '' && draft.purpose.type !== 'edit' ? 'edit-last' : undefined
    default:
      return undefined
  }
}
