import { effect } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { isSendable, meaning, typed } from '../model/draft.ts'
import { authorOf } from '../model/entry.ts'
import { shownName } from '../model/names.ts'
import { firstLine } from '../model/text.ts'
import type { Chat } from '../state/chat.ts'
import { Icon } from './icons.tsx'

/** Whether the field gets the focus unasked: on a phone that would cover half of the page with a keyboard. */
const hasKeyboard = () => matchMedia('(hover: hover) and (pointer: fine)').matches

/** Not every browser lets a field grow with its text. */
const growsByItself = CSS.supports('field-sizing', 'content')

export function Composer({ chat }: { chat: Chat }) {
  const draft = chat.draft.value
  const field = useRef<HTMLTextAreaElement>(null)
  const { type } = draft.purpose

  // At once, not with the next frame, so that no key that follows is lost.
  useLayoutEffect(() => {
    return effect(() => {
      if (chat.wantsFocus.value > 0 || hasKeyboard()) field.current?.focus()
    })
  }, [chat])

  // The end of a text that is to be changed is where one goes on.
  useEffect(() => {
    const length = field.current?.value.length ?? 0
    if (type === 'edit') field.current?.setSelectionRange(length, length)
  }, [type])

  useLayoutEffect(() => {
    const element = field.current
    const around = element?.parentElement
    if (growsByItself || !element || !around) return
    // While it is measured, the log must not get its room: it would be scrolled by that, and leave its end.
    around.style.minHeight = `${around.offsetHeight}px`
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
    around.style.minHeight = ''
  }, [draft.text])

  const onKeyDown = (event: KeyboardEvent) => {
    const action = meaning(event, chat.draft.peek())
    if (!action) return
    event.preventDefault()
    if (action === 'send') chat.send()
    if (action === 'cancel') chat.cancel()
    if (action === 'edit-last') chat.editLast()
  }

  return (
    <form
      class="composer"
      aria-label="Write a message"
      onSubmit={(event) => {
        event.preventDefault()
        chat.send()
        field.current?.focus()
      }}
    >
      <Purpose chat={chat} />
      <div class="field">
        <textarea
          ref={field}
          rows={1}
          aria-label={type === 'edit' ? 'Change the message' : 'Message'}
          placeholder={type === 'edit' ? 'Change the message' : 'Message to everyone'}
          value={draft.text}
          onInput={({ currentTarget }) => {
            chat.draft.value = typed(chat.draft.peek(), currentTarget.value)
          }}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="send" disabled={!isSendable(draft)} title="Send (Enter)">
          <Icon name={type === 'edit' ? 'check' : 'send'} />
          <span class="unseen">{type === 'edit' ? 'Save' : 'Send'}</span>
        </button>
      </div>
    </form>
  )
}

/** What the text is for, if it is not just a new message. */
function Purpose({ chat }: { chat: Chat }) {
  const { purpose } = chat.draft.value
  if (purpose.type === 'new') return null
  const said = chat.session.log.find(purpose.id)
  const isEdit = purpose.type === 'edit'
  return (
    <div class="purpose">
      <Icon name={isEdit ? 'edit' : 'reply'} />
      <p>
        {isEdit ? 'Changing your message' : 'Replying to '}
        {!isEdit && said && <bdi class="name">{shownName(authorOf(said))}</bdi>}
        {!isEdit && said && <bdi class="quoted">{firstLine(said.content)}</bdi>}
      </p>
      <button type="button" class="round" title="Cancel (Escape)" onClick={() => chat.cancel()}>
        <Icon name="close" />
        <span class="unseen">{isEdit ? 'Cancel editing' : 'Cancel reply'}</span>
      </button>
    </div>
  )
}
