import assert from 'node:assert/strict'
import test from 'node:test'
import { authorOf, continues, type Entry, isAnswerable, isChangeable, type Said } from '../src/model/entry.ts'

const said = (more: Partial<Said> = {}): Said => ({
  type: 'said',
  id: 1,
  seq: 1,
  time: 0,
  source: 'irc',
  content: 'hi',
  attachments: [],
  isEdited: false,
  isDeleted: false,
  isMine: false,
  outcomes: [],
  ...more,
})

test('what one person says in one go stands under one head', () => {
  const alice = said({ sender: { name: 'alice' } })
  assert.ok(continues(alice, said({ sender: { name: 'alice' }, time: 60_000 })))
  assert.ok(continues(said(), said()))
  assert.ok(!continues(undefined, alice))
  assert.ok(!continues(alice, said({ sender: { name: 'bob' } })))
  assert.ok(!continues(alice, said()))
  assert.ok(!continues(alice, said({ source: 'mc', sender: { name: 'alice' } })))
  assert.ok(!continues(said({ sender: { name: 'a', id: '1' } }), said({ sender: { name: 'a', id: '2' } })))
  assert.ok(!continues(alice, said({ sender: { name: 'alice' }, time: 300_000 })))
  assert.ok(!continues(alice, said({ sender: { name: 'alice' }, event: 'join' })))
  assert.ok(!continues(said({ event: 'join' }), said({ event: 'join' })))
  assert.ok(!continues(said(), said({ isMine: true })))
  const hole: Entry = { type: 'hole', id: 2, time: 0, cause: 'forgotten' }
  assert.ok(!continues(hole, alice))
  assert.ok(!continues(alice, hole))
})

test('the person says it, or else the client', () => {
  assert.equal(authorOf(said({ sender: { name: 'alice' } })), 'alice')
  assert.equal(authorOf(said()), 'irc')
})

test('only what this page has sent may be changed', () => {
  assert.ok(isChangeable(said({ sent: { type: 'sent' } })))
  assert.ok(!isChangeable(said()))
  assert.ok(!isChangeable(said({ isMine: true })))
  assert.ok(!isChangeable(said({ sent: { type: 'pending' } })))
  assert.ok(!isChangeable(said({ sent: { type: 'failed', why: '', maybe: false } })))
  assert.ok(!isChangeable(said({ sent: { type: 'sent' }, isDeleted: true })))
})

test('only what has a place in the log can be answered', () => {
  assert.ok(isAnswerable(said()))
  assert.ok(!isAnswerable(said({ isDeleted: true })))
  const { seq: _, ...without } = said()
  assert.ok(!isAnswerable(without))
})
