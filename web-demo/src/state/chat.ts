// What the reader is doing in a chat: writing, looking at a message, about to delete one.

import { computed, signal } from '@preact/signals'
import { cancelled, type Draft, EMPTY, editing, finished, isSendable, replying, returned } from '../model/draft.ts'
import { isAnswerable, isChangeable, type Said } from '../model/entry.ts'
import { keepDraft, keptDraft } from './kept.ts'
import type { Session } from './session.ts'

/** Where the log is to go. */
export type Jump = { readonly to: 'end' } | { readonly to: 'message'; readonly id: number }

export class Chat {
  readonly session: Session
  readonly draft = signal<Draft>({ ...EMPTY, text: keptDraft() })
  /** The message that is being answered or changed. */
  readonly subject = computed(() => {
    const { purpose } = this.draft.value
    return purpose.type === 'new' ? undefined : purpose.id
  })
  /** The message whose actions are shown. */
  readonly active = signal<number | undefined>(undefined)
  /** The message that is to be deleted, if that is confirmed. */
  readonly doomed = signal<Said | undefined>(undefined)
  readonly jump = signal<Jump | undefined>(undefined)
  /** Counts the wishes that the field for writing gets the focus. */
  readonly wantsFocus = signal(0)
  /** Whether the message that has the focus got it by mouse or touch. */
  isByPointer = false

  constructor(session: Session) {
    this.session = session
    this.draft.subscribe(({ text, purpose }) => keepDraft(purpose.type === 'edit' ? purpose.kept : text))
  }

  reply(said: Said): void {
    if (!isAnswerable(said)) return
    this.draft.value = replying(this.draft.value, said.id)
    this.write()
  }

  edit(said: Said | undefined): void {
    if (!said || !isChangeable(said)) return
    this.draft.value = editing(this.draft.value, said.id, said.change?.content ?? said.content)
    this.write()
  }

  editLast(): void {
    this.edit(this.session.log.lastOwn())
  }

  askToDelete(said: Said): void {
    if (isChangeable(said)) this.doomed.value = said
  }

  cancel(): void {
    this.draft.value = cancelled(this.draft.value)
    this.write()
  }

  /** Sends what was written, or changes what it was written for. */
  send(): void {
    const draft = this.draft.value
    if (!isSendable(draft)) return
    const { purpose, text } = draft
    const { session } = this
    if (purpose.type === 'edit') {
      if (session.log.find(purpose.id)?.content !== text) session.change(purpose.id, text)
    } else {
      const original = purpose.type === 'reply' ? session.log.find(purpose.id) : undefined
      session.say(text, original?.seq)
      this.jump.value = { to: 'end' }
    }
    this.draft.value = finished(draft)
  }

  /** Takes something that has failed back into the field, an answer as an answer. */
  takeBack(id: number): void {
    const said = this.session.discard(id)
    if (!said) return
    const draft = returned(cancelled(this.draft.value), said.content)
    this.draft.value = said.original === undefined ? draft : replying(draft, said.original)
    this.write()
  }

  /** Lets somebody write. */
  write(): void {
    this.active.value = undefined
    this.isByPointer = false
    this.wantsFocus.value += 1
  }
}
