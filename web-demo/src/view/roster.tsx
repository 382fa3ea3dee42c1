import type { Member } from 'multichat/slim'
import { shownName } from '../model/names.ts'
import { firstLine } from '../model/text.ts'
import { machine } from '../model/time.ts'
import type { Session } from '../state/session.ts'
import { times } from '../state/times.ts'
import { Badge } from './source.tsx'

const WORDS = { online: 'online', degraded: 'has trouble', offline: 'its platform is away' } as const

/** Who is there: bridges and people alike, this page first. */
export function Roster({ session }: { session: Session }) {
  // What the others do while the line is down, nobody knows.
  const isKnown = session.state.value.type === 'online'
  return (
    <ul class="roster">
      <li class="member self">
        <Badge source={session.name} />
        <bdi class="name">{shownName(session.name)}</bdi>
        <span class="tag">you</span>
      </li>
      {session.members.value.map((member) => (
        <Row key={member.name} member={member} isKnown={isKnown} />
      ))}
    </ul>
  )
}

function Row({ member: { name, status, text, since }, isKnown }: { member: Member; isKnown: boolean }) {
  return (
    <li class={`member ${isKnown ? status : 'unknown'}`}>
      <Badge source={name} />
      <bdi class="name">{shownName(name)}</bdi>
      <span class="status" title={`since ${times.exact(since)}`}>
        <span class="dot" aria-hidden="true" />
        {isKnown ? WORDS[status] : 'not known at the moment'}
        {text && isKnown ? ': ' : ''}
        {text && isKnown && <bdi>{firstLine(text, 200)}</bdi>}
        <time class="unseen" dateTime={machine(since)}>
          {` since ${times.clock(since)}`}
        </time>
      </span>
    </li>
  )
}
