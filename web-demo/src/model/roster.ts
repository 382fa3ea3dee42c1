// Who is there.

import type { Member, Presence, Roster } from 'multichat/slim'

/** The others that are there, after what the client has told; sorted by name, for who looks for one. */
export function present(before: readonly Member[], event: Roster | Presence): readonly Member[] {
  if (event.type === 'roster') return sorted(event.members)
  const { type: _, status, ...member } = event
  const others = before.filter(({ name }) => name !== event.name)
  return status === 'left' ? others : sorted([...others, { ...member, status }])
}

const sorted = (members: readonly Member[]) => members.toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
