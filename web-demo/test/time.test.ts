import assert from 'node:assert/strict'
import test from 'node:test'
import { isSameDay, localeOf, machine, secondsUntil, Times } from '../src/model/time.ts'

const times = new Times('en-GB')
const at = (text: string) => new Date(text).getTime()
const now = at('2026-03-15T12:00:00')

test('a day has a name', () => {
  assert.equal(times.day(at('2026-03-15T00:00:00'), now), 'Today')
  assert.equal(times.day(at('2026-03-14T23:59:59'), now), 'Yesterday')
  assert.match(times.day(at('2026-03-13T23:59:59'), now), /^Friday,? 13 March$/)
  assert.equal(times.day(at('2025-03-15T12:00:00'), now), '15 March 2025')
  assert.equal(times.day(at('2026-02-28T12:00:00'), at('2026-03-01T00:00:01')), 'Yesterday')
})

test('a day ends at midnight', () => {
  assert.ok(isSameDay(at('2026-03-15T00:00:00'), at('2026-03-15T23:59:59')))
  assert.ok(!isSameDay(at('2026-03-14T23:59:59'), at('2026-03-15T00:00:00')))
  assert.ok(!isSameDay(at('2025-03-15T12:00:00'), now))
})

test('a time is told shortly, and exactly', () => {
  assert.equal(times.clock(now), '12:00')
  assert.equal(times.short(now), '12:00')
  assert.equal(new Times('en-US').short(at('2026-03-15T15:04:00')), '03:04')
  assert.match(times.exact(now), /15 March 2026.* 12:00:00/)
  assert.equal(machine(at('2026-03-15T12:00:00Z')), '2026-03-15T12:00:00.000Z')
})

test('a router may say any number', () => {
  for (const time of [1e300, Number.NaN, Number.POSITIVE_INFINITY, -1e300]) {
    assert.equal(times.clock(time), '?')
    assert.equal(times.exact(time), 'unknown time')
    assert.equal(times.day(time, now), 'Unknown day')
    assert.equal(machine(time), '')
  }
})

test('the English that the reader uses is used', () => {
  assert.equal(localeOf(['de', 'en-US', 'en']), 'en-US')
  assert.equal(localeOf(['de', 'zh']), 'en-GB')
  assert.equal(localeOf([]), 'en-GB')
})

test('a countdown ends at none', () => {
  assert.deepEqual(
    [5000, 4001, 1, 0, -1000].map((left) => secondsUntil(now + left, now)),
    [5, 5, 1, 0, 0],
  )
})
