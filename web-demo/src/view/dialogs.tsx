import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { firstLine } from '../model/text.ts'
import type { Chat } from '../state/chat.ts'
import { Icon } from './icons.tsx'
import { KEYS } from './keys.ts'
import { Roster } from './roster.tsx'

interface DialogProps {
  readonly title: string
  readonly kind: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** The browser's own: it keeps the focus inside, and gives it back. */
function Dialog({ title, kind, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it by itself.
    <dialog
      ref={dialog}
      class={kind}
      aria-label={title}
      onClose={onClose}
      onClick={({ target, currentTarget }) => target === currentTarget && currentTarget.close()}
    >
      <div class="dialog-body">
        <header>
          <h2>{title}</h2>
          <button type="button" class="round" onClick={() => dialog.current?.close()}>
            <Icon name="close" />
            <span class="unseen">Close</span>
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

const closeAround = (element: Element) => element.closest('dialog')?.close()

/** Who is there, on a narrow page. */
export function RosterDialog({ chat, onClose }: { chat: Chat; onClose: () => void }) {
  return (
    <Dialog title="Who is here" kind="drawer" onClose={onClose}>
      <Roster session={chat.session} />
    </Dialog>
  )
}

export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" kind="sheet" onClose={onClose}>
      {Object.entries(KEYS).map(([where, keys]) => (
        <section key={where}>
          <h3>{where}</h3>
          <dl class="keys">
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  )
}

/** Asks before a message is taken back: that cannot be undone. */
export function DeleteDialog({ chat }: { chat: Chat }) {
  const said = chat.doomed.value
  if (!said) return null
  // Only what is closed lets the focus out.
  const onClose = () => {
    chat.doomed.value = undefined
    chat.write()
  }
  return (
    <Dialog title="Delete this message?" kind="sheet" onClose={onClose}>
      <blockquote>
        <bdi>{firstLine(said.content, 200)}</bdi>
      </blockquote>
      <p>It is taken back everywhere that can take something back.</p>
      <div class="buttons">
        <button type="button" class="secondary" autofocus onClick={({ currentTarget }) => closeAround(currentTarget)}>
          Keep it
        </button>
        <button
          type="button"
          class="primary danger"
          onClick={({ currentTarget }) => {
            chat.session.change(said.id, undefined)
            closeAround(currentTarget)
          }}
        >
          Delete
        </button>
      </div>
    </Dialog>
  )
}
