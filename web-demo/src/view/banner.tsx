import type { Closed, Waiting } from 'multichat/slim'
import { useEffect, useState } from 'preact/hooks'
import { failureOf, interruption } from '../model/failure.ts'
import { secondsUntil } from '../model/time.ts'
import { rejoin } from '../state/app.ts'
import type { Session } from '../state/session.ts'
import { Icon } from './icons.tsx'

/** What goes on when the line is down, and what can be done. */
export function Banner({ session }: { session: Session }) {
  const state = session.state.value
  switch (state.type) {
    case 'waiting':
      return <Countdown state={state} session={session} />
    case 'connecting':
    case 'registering':
      return (
        <Strip>
          <p>The line is down. Trying to connect…</p>
        </Strip>
      )
    case 'closed':
      return state.by === 'server' || state.cause ? <End state={state} session={session} /> : null
    default:
      return null
  }
}

function Strip({ children, isFinal }: { children: preact.ComponentChildren; isFinal?: boolean }) {
  return (
    <section class={isFinal ? 'banner final' : 'banner'} aria-label="Connection">
      <Icon name="warning" />
      {children}
    </section>
  )
}

function Countdown({ state: { retryAt, cause }, session }: { state: Waiting; session: Session }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [retryAt])
  return (
    <Strip>
      <p>
        {interruption(cause)} <span class="countdown">Trying again in {secondsUntil(retryAt, now)} s.</span>
      </p>
      <button type="button" class="small" onClick={() => session.tryNow()}>
        Try now
      </button>
    </Strip>
  )
}

function End({ state: { cause }, session }: { state: Closed; session: Session }) {
  const failure = cause && failureOf(cause, session.server, location)
  return (
    <Strip isFinal>
      <p>
        <strong>{failure?.title ?? 'The router has ended the connection'}.</strong> {failure?.advice} What you wrote is
        kept.
      </p>
      <button type="button" class="small" onClick={() => void rejoin()}>
        Join again
      </button>
    </Strip>
  )
}
