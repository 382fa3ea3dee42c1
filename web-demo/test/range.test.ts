import assert from 'node:assert/strict'
import test from 'node:test'
import { around, isAtEnd, MOST, newer, older, type Range, SHOWN, tail, withFocus, within } from '../src/model/range.ts'

const many = { dropped: 0, length: 10_000 }
const size = ({ start, end }: Range) => end - start

test('at the end the newest are shown', () => {
  assert.deepEqual(tail({ dropped: 0, length: 3 }), { start: 0, end: 3 })
  assert.deepEqual(tail(many), { start: 10_000 - SHOWN, end: 10_000 })
  assert.deepEqual(tail({ dropped: 500, length: 20 }), { start: 500, end: 520 })
})

test('all of a long log is reached by scrolling, and never more than so many are shown', () => {
  let range = tail(many)
  for (let step = 0; range.start > 0; step += 1) {
    const next = older(range, many)
    assert.ok(next.start < range.start && size(next) <= MOST && step < 1000)
    // What was at the edge is still there, so that the reader sees no jump.
    assert.ok(next.end > range.start)
    range = next
  }
  for (let step = 0; !isAtEnd(range, many); step += 1) {
    const next = newer(range, many)
    assert.ok(next.end > range.end && size(next) <= MOST && step < 1000)
    assert.ok(next.start < range.end)
    range = next
  }
})

test('a place is shown with what is around it', () => {
  for (const place of [0, 1, 5000, 9999]) {
    const range = around(place, many)
    assert.ok(range.start <= place && place < range.end && size(range) <= SHOWN)
  }
})

test('the message that has the focus stays', () => {
  assert.deepEqual(withFocus({ start: 100, end: 200 }, 150), { start: 100, end: 200 })
  assert.deepEqual(withFocus({ start: 100, end: 200 }, undefined), { start: 100, end: 200 })
  assert.deepEqual(withFocus({ start: 100, end: 200 }, 90), { start: 90, end: 200 })
  assert.deepEqual(withFocus({ start: 1000, end: 1100 }, 90), { start: 90, end: 90 + MOST })
})

test('a part of the log stays what it is while others come', () => {
  assert.deepEqual(within({ start: 100, end: 200 }, { dropped: 0, length: 20_000 }), { start: 100, end: 200 })
})

test('what is dropped is not shown any more', () => {
  assert.deepEqual(within({ start: 100, end: 200 }, { dropped: 150, length: 1000 }), { start: 150, end: 200 })
  assert.deepEqual(within({ start: 100, end: 200 }, { dropped: 500, length: 1000 }), { start: 500, end: 500 + SHOWN })
  assert.deepEqual(within({ start: 0, end: 50 }, { dropped: 0, length: 0 }), { start: 0, end: 0 })
})
