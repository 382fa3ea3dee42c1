import { useSignal } from '@preact/signals'
import type { State } from 'multichat/slim'
import { useEffect, useMemo } from 'preact/hooks'
import { titleOf } from '../model/unread.ts'
import { leave } from '../state/app.ts'
import { Chat } from '../state/chat.ts'
import { showUnread } from '../state/favicon.ts'
import type { Session } from '../state/session.ts'
import { Banner } from './banner.tsx'
import { Composer } from './composer.tsx'
import { DeleteDialog, KeysDialog, RosterDialog } from './dialogs.tsx'
import { Icon, Mark } from './icons.tsx'
import { LogView } from './log.tsx'
import { Roster } from './roster.tsx'

export function ChatView({ session }: { session: Session }) {
  const chat = useMemo(() => new Chat(session), [session])
  const dialog = useSignal<'roster' | 'keys' | undefined>(undefined)
  const close = () => {
    dialog.value = undefined
  }
  useTold(session)
  return (
    <div class="chat">
      <header class="bar">
        <Mark />
        <h1 title={session.title}>{session.title}</h1>
        <StateWords session={session} />
        <button
          type="button"
          class="round narrow"
          onClick={() => {
            dialog.value = 'roster'
          }}
        >
          <Icon name="people" />
          <Count session={session} />
        </button>
        <button
          type="button"
          class="round keyboard"
          title="Keyboard shortcuts"
          onClick={() => {
            dialog.value = 'keys'
          }}
        >
          <Icon name="keyboard" />
          <span class="unseen">Keyboard shortcuts</span>
        </button>
        <button type="button" class="round" title="Leave" onClick={() => void leave()}>
          <Icon name="leave" />
          <span class="unseen">Leave</span>
        </button>
      </header>
      <main>
        <Banner session={session} />
        <LogView chat={chat} />
        <Composer chat={chat} />
      </main>
      <aside class="side" aria-label="Who is here">
        <h2>Who is here</h2>
        <Roster session={session} />
      </aside>
      {dialog.value === 'roster' && <RosterDialog chat={chat} onClose={close} />}
      {dialog.value === 'keys' && <KeysDialog onClose={close} />}
      <DeleteDialog chat={chat} />
    </div>
  )
}

function Count({ session }: { session: Session }) {
  const count = session.members.value.length + 1
  return (
    <>
      <span class="count" aria-hidden="true">
        {count}
      </span>
      <span class="unseen">Who is here ({count})</span>
    </>
  )
}

/** How the connection is, in words. Apart from the log, so that it is read out by itself. */
function StateWords({ session }: { session: Session }) {
  const state = session.state.value
  const { kind, words } = inWords(state)
  return (
    <p class={`state ${kind}`} role="status">
      <span class="dot" aria-hidden="true" />
      <span>{words}</span>
    </p>
  )
}

function inWords(state: State): { kind: 'good' | 'busy' | 'bad'; words: string } {
  switch (state.type) {
    case 'connecting':
    case 'registering':
      return { kind: 'busy', words: 'Connecting' }
    case 'online':
      return { kind: 'good', words: state.dialect === 'plain' ? 'Connected, texts only' : 'Connected' }
    case 'waiting':
      return { kind: 'bad', words: 'Disconnected' }
    case 'draining':
      return { kind: 'busy', words: 'Leaving' }
    case 'closed':
      return { kind: 'bad', words: 'Ended' }
  }
}

/** Has the title and the icon tell what is unread, and the browser warn before something is lost. */
function useTold(session: Session): void {
  const { count } = session.unread.value
  useEffect(() => {
    document.title = titleOf(count, session.title)
    showUnread(count > 0)
  }, [count])
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (session.log.outgoing.length > 0) event.preventDefault()
    }
    addEventListener('beforeunload', warn)
    return () => {
      removeEventListener('beforeunload', warn)
      document.title = titleOf(0, '')
      showUnread(false)
    }
  }, [session])
}
