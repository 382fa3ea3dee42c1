import type { Closed, Waiting } from 'multichat/slim'
import { useEffect, useState } from 'preact/hooks'
import { failureOf, interruption } from '../model/failure.ts'
import { secondsUntil } from '../model/time.ts'
import { rejoin } from '../state/app.ts'
import type { Session } from '../state/session.ts'
import { Icon } from './icons.tsx'

/** What goes on when the line is down, and what can be done. One element through all of it, so that it does not flicker. */
export function Banner({ session }: { session: Session }) {
  const state = session.state.value
  if (state.type === 'online' || state.type === 'draining') return null
  if (state.type === 'closed' && state.by === 'client' && !state.cause) return null
  return (
    <section class="banner" aria-label="Connection">
      <Icon name="warning" />
      {state.type === 'waiting' && <Countdown state={state} session={session} />}
      {state.type === 'closed' && <End state={state} session={session} />}
      {(state.type === 'connecting' || state.type === 'registering') && <p>The line is down. Trying to connect…</p>}
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
    <>
      <p>
        {interruption(cause)} <span class="countdown">Trying again in {secondsUntil(retryAt, now)} s.</span>
      </p>
      <button type="button" class="small" onClick={() => session.tryNow()}>
        Try now
      </button>
    </>
  )
}

function End({ state: { cause }, session }: { state: Closed; session: Session }) {
  const failure = cause && failureOf(cause, session.server, location)
  return (
    <>
      <p>
        <strong>{failure?.title ?? 'The router has ended the connection'}.</strong> {failure?.advice} What you wrote is
        kept.
      </p>
      <button type="button" class="small" onClick={() => void rejoin()}>
        Join again
      </button>
    </>
  )
}
