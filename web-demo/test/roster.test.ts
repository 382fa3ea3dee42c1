import assert from 'node:assert/strict'
import test from 'node:test'
import { present } from '../src/model/roster.ts'

const member = (name: string) => ({ name, status: 'online', since: 1 }) as const

test('the roster replaces what was known, by name', () => {
  const roster = present([member('x')], { type: 'roster', members: [member('qq'), member('irc')] })
  assert.deepEqual(
    roster.map(({ name }) => name),
    ['irc', 'qq'],
  )
})

test('who is new or different is taken in, and who has left is not there', () => {
  const before = [member('irc'), member('qq')]
  const after = present(before, { type: 'presence', name: 'irc', status: 'degraded', text: 'slow', since: 2 })
  assert.deepEqual(after, [{ name: 'irc', status: 'degraded', text: 'slow', since: 2 }, member('qq')])
  assert.deepEqual(present(after, { type: 'presence', name: 'irc', status: 'left', since: 3 }), [member('qq')])
  assert.equal(present(before, { type: 'presence', name: 'mc', status: 'online', since: 3 }).length, 3)
})
