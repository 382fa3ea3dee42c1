import assert from 'node:assert/strict'
import test from 'node:test'
import { answered, arrived, NOTHING, newMessages, seen, titleOf } from '../src/model/unread.ts'

test('the line is drawn before the first that was not seen', () => {
  const unread = arrived(arrived(NOTHING, 7), 8)
  assert.deepEqual(unread, { count: 2, line: 7 })
})

test('it stays when all was seen, until there is something new again', () => {
  const back = seen(arrived(NOTHING, 7))
  assert.deepEqual(back, { count: 0, line: 7 })
  assert.equal(seen(back), back)
  assert.deepEqual(arrived(back, 9), { count: 1, line: 9 })
})

test('who answers needs no line', () => {
  assert.deepEqual(answered(), NOTHING)
})

test('the title tells how many', () => {
  assert.equal(titleOf(0, 'chat.example.org'), 'chat.example.org · multichat')
  assert.equal(titleOf(3, 'chat.example.org'), '(3) chat.example.org · multichat')
  assert.equal(titleOf(100, ''), '(99+) multichat')
})

test('the pill counts in words', () => {
  assert.deepEqual([1, 2].map(newMessages), ['1 new message', '2 new messages'])
})
