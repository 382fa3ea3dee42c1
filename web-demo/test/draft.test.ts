import assert from 'node:assert/strict'
import test from 'node:test'
import {
  cancelled,
  EMPTY,
  editing,
  finished,
  isSendable,
  type Key,
  meaning,
  replying,
  returned,
  typed,
} from '../src/model/draft.ts'

const key = (name: string, more: Partial<Key> = {}): Key => ({
  key: name,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  isComposing: false,
  keyCode: 0,
  ...more,
})

const written = typed(EMPTY, 'hello')

test('Enter sends, and with Shift it breaks the line', () => {
  assert.equal(meaning(key('Enter'), written), 'send')
  assert.equal(meaning(key('Enter', { ctrlKey: true }), written), 'send')
  assert.equal(meaning(key('Enter', { shiftKey: true }), written), undefined)
  assert.equal(meaning(key('a'), written), undefined)
})

test('what an input method takes means nothing else', () => {
  for (const name of ['Enter', 'Escape', 'ArrowUp']) {
    const draft = editing(EMPTY, 1, '')
    assert.equal(meaning(key(name, { isComposing: true }), draft), undefined)
    assert.equal(meaning(key(name, { keyCode: 229 }), draft), undefined)
  }
})

test('the arrow changes the last message, but only in an empty field', () => {
  assert.equal(meaning(key('ArrowUp'), EMPTY), 'edit-last')
  assert.equal(meaning(key('ArrowUp'), written), undefined)
  assert.equal(meaning(key('ArrowUp', { shiftKey: true }), EMPTY), undefined)
  assert.equal(meaning(key('ArrowUp'), editing(EMPTY, 1, '')), undefined)
})

test('Escape leaves an answer or a change', () => {
  assert.equal(meaning(key('Escape'), replying(EMPTY, 1)), 'cancel')
  assert.equal(meaning(key('Escape'), editing(EMPTY, 1, 'a')), 'cancel')
  assert.equal(meaning(key('Escape'), written), undefined)
})

test('an answer keeps what was written', () => {
  assert.deepEqual(replying(written, 3), { text: 'hello', purpose: { type: 'reply', id: 3 } })
  assert.deepEqual(cancelled(replying(written, 3)), written)
  assert.deepEqual(finished(replying(written, 3)), EMPTY)
})

test('a change gives back what was written before', () => {
  const change = editing(written, 3, 'old')
  assert.deepEqual(change, { text: 'old', purpose: { type: 'edit', id: 3, kept: 'hello' } })
  assert.deepEqual(cancelled(typed(change, 'new')), written)
  assert.deepEqual(finished(typed(change, 'new')), written)
  assert.deepEqual(cancelled(editing(change, 4, 'other')), written)
  assert.deepEqual(replying(change, 4), { text: 'hello', purpose: { type: 'reply', id: 4 } })
})

test('what could not be sent comes before what is being written', () => {
  assert.equal(returned(EMPTY, 'lost').text, 'lost')
  assert.equal(returned(written, 'lost').text, 'lost\nhello')
})

test('nothing but space is not sent', () => {
  assert.ok(isSendable(written))
  assert.ok(!isSendable(EMPTY))
  assert.ok(!isSendable(typed(EMPTY, ' \n ')))
})
