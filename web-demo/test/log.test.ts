import assert from 'node:assert/strict'
import test from 'node:test'
import type { ClientEvent, ReceivedMessage } from 'multichat/slim'
import { type Entry, isAnswerable, isChangeable, type Said } from '../src/model/entry.ts'
import { Log } from '../src/model/log.ts'

const NOW = 1_000_000

const message = (seq: number | undefined, content: string, more: Partial<ReceivedMessage> = {}): ClientEvent => ({
  type: 'message',
  source: 'irc',
  content,
  attachments: [],
  replay: false,
  own: false,
  ...(seq !== undefined && { seq, time: NOW + seq }),
  ...more,
})

const entry = { source: 'irc', replay: false, own: false } as const

/** A log that was told these. */
function told(...events: ClientEvent[]): Log {
  const log = new Log('me')
  for (const event of events) log.apply(event, NOW)
  return log
}

const texts = ({ entries }: Log) => entries.map((it: Entry) => (it.type === 'said' ? it.content : it.cause))
const last = ({ entries }: Log) => entries.at(-1) as Said

test('messages are in the order of the router', () => {
  assert.deepEqual(texts(told(message(1, 'a'), message(2, 'b'), message(3, 'c'))), ['a', 'b', 'c'])
})

test('a message is there once, however often it comes', () => {
  const log = told(message(1, 'a'))
  assert.equal(log.apply(message(1, 'a', { replay: true }), NOW), undefined)
  assert.deepEqual(texts(log), ['a'])
})

test('what is on its way stands below, and takes its place when it has one', () => {
  const log = told(message(1, 'a'))
  const id = log.say({ content: 'mine' }, NOW)
  assert.deepEqual(last(log).sent, { type: 'pending' })
  log.apply(message(2, 'b'), NOW)
  log.apply(message(4, 'd'), NOW)
  assert.deepEqual(texts(log), ['a', 'b', 'd', 'mine'])
  log.confirm(id, { type: 'logged', seq: 3, time: NOW + 3 })
  assert.deepEqual(texts(log), ['a', 'b', 'mine', 'd'])
  assert.deepEqual(log.at(3)?.sent, { type: 'sent' })
  assert.equal(log.at(3)?.time, NOW + 3)
  assert.equal(log.at(3)?.id, id)
})

test('an original server gives no places', () => {
  const log = told(message(undefined, 'a'))
  const id = log.say({ content: 'mine' }, NOW)
  log.confirm(id, { type: 'written' })
  log.apply(message(undefined, 'b'), NOW)
  assert.deepEqual(texts(log), ['a', 'mine', 'b'])
  assert.equal(log.lastOwn(), undefined)
})

test('what has failed keeps its text, and is sent again or taken back', () => {
  const log = told()
  const id = log.say({ content: 'mine', replyTo: 7 }, NOW)
  log.fail(id, 'No.', false)
  assert.deepEqual(last(log).sent, { type: 'failed', why: 'No.', maybe: false })
  log.retry(id)
  assert.deepEqual(last(log).sent, { type: 'pending' })
  log.fail(id, 'No.', false)
  assert.equal(log.discard(id)?.content, 'mine')
  assert.deepEqual(texts(log), [])
})

test('what may have arrived is recognised when it comes back', () => {
  const log = told(message(1, 'a'))
  const id = log.say({ content: 'mine' }, NOW)
  log.fail(id, 'Who knows.', true)
  assert.equal(log.apply(message(2, 'mine', { source: 'me', own: true, replay: true }), NOW), undefined)
  assert.deepEqual(last(log).sent, { type: 'sent' })
  assert.equal(last(log).seq, 2)
  assert.deepEqual(texts(log), ['a', 'mine'])
})

test('what has come back already is there once when its ack comes', () => {
  const log = told(message(1, 'a'))
  const id = log.say({ content: 'mine' }, NOW)
  log.apply(message(2, 'mine', { source: 'me', own: true, replay: true }), NOW)
  log.confirm(id, { type: 'logged', seq: 2, time: NOW })
  assert.deepEqual(texts(log), ['a', 'mine'])
  assert.deepEqual(last(log).sent, { type: 'sent' })
})

test('what surely has not arrived is another message', () => {
  const log = told()
  log.fail(log.say({ content: 'mine' }, NOW), 'No.', false)
  log.apply(message(2, 'mine', { source: 'me', own: true, replay: true }), NOW)
  assert.deepEqual(texts(log), ['mine', 'mine'])
})

test('own messages of an earlier visit are recognised by the name', () => {
  const log = told(
    message(1, 'a', { source: 'me', replay: true }),
    message(2, 'b', { source: 'me', sender: { name: 'somebody' } }),
    message(3, 'c'),
  )
  assert.deepEqual(
    log.entries.map((it) => (it as Said).isMine),
    [true, false, false],
  )
  // But another session may not change them.
  assert.equal(log.lastOwn(), undefined)
})

test('an edit gives a message another text', () => {
  const log = told(message(1, 'a'), message(2, 'b'))
  const before = log.at(1)
  log.apply({ type: 'edit', target: 1, content: 'c', seq: 3, time: NOW, ...entry }, NOW)
  assert.deepEqual(texts(log), ['c', 'b'])
  assert.equal(log.at(1)?.isEdited, true)
  assert.equal(before?.content, 'a')
  assert.equal(before?.id, log.at(1)?.id)
})

test('a delete leaves a tombstone with nothing in it', () => {
  const attachments = [{ url: 'https://example.org/' }]
  const log = told(message(1, 'a', { attachments }), { type: 'delete', target: 1, seq: 2, time: NOW, ...entry })
  assert.deepEqual([last(log).isDeleted, last(log).content, last(log).attachments], [true, '', []])
  log.apply({ type: 'edit', target: 1, content: 'c', seq: 3, time: NOW, ...entry }, NOW)
  assert.equal(last(log).content, '')
})

test('changes of what is not there are nothing', () => {
  const log = told(message(5, 'a'))
  log.apply({ type: 'edit', target: 1, content: 'c', seq: 6, time: NOW, ...entry }, NOW)
  log.apply({ type: 'delete', target: 2, seq: 7, time: NOW, ...entry }, NOW)
  log.apply({ type: 'receipt', target: 3, source: 'irc', status: 'delivered' }, NOW)
  assert.deepEqual(texts(log), ['a'])
})

test('each platform says last what became of an own message', () => {
  const log = told(message(1, 'a'))
  log.confirm(log.say({ content: 'mine' }, NOW), { type: 'logged', seq: 2, time: NOW })
  log.apply({ type: 'receipt', target: 2, source: 'irc', status: 'failed', reason: 'too long' }, NOW)
  log.apply({ type: 'receipt', target: 2, source: 'mc', status: 'delivered' }, NOW)
  log.apply({ type: 'receipt', target: 1, source: 'mc', status: 'delivered' }, NOW)
  assert.deepEqual(log.at(2)?.outcomes, [
    { source: 'irc', status: 'failed', reason: 'too long' },
    { source: 'mc', status: 'delivered' },
  ])
  log.apply({ type: 'receipt', target: 2, source: 'irc', status: 'delivered' }, NOW)
  assert.deepEqual(
    log.at(2)?.outcomes.map(({ status }) => status),
    ['delivered', 'delivered'],
  )
  assert.deepEqual(log.at(1)?.outcomes, [])
})

test('a change is shown while it is asked for, and kept if it fails', () => {
  const log = told()
  const id = log.say({ content: 'mine' }, NOW)
  log.confirm(id, { type: 'logged', seq: 1, time: NOW })
  log.change(id, { content: 'better' })
  assert.deepEqual(log.at(1)?.change, { content: 'better' })
  log.change(id, { content: 'better', failed: 'No.' })
  assert.deepEqual([log.at(1)?.content, log.at(1)?.change], ['mine', { content: 'better', failed: 'No.' }])
  log.changed(id, 'better')
  assert.deepEqual([log.at(1)?.content, log.at(1)?.change, log.at(1)?.isEdited], ['better', undefined, true])
  log.changed(id, undefined)
  assert.equal(log.at(1)?.isDeleted, true)
  assert.equal(log.lastOwn(), undefined)
})

test('a gap is told where it is', () => {
  const log = told(message(1, 'a'), { type: 'gap', cause: 'forgotten', missed: 3 }, message(5, 'b'))
  assert.deepEqual(texts(log), ['a', 'forgotten', 'b'])
})

test('in a new log the old places mean nothing', () => {
  const log = told(message(1, 'a'), message(2, 'b'))
  log.confirm(log.say({ content: 'mine' }, NOW), { type: 'logged', seq: 3, time: NOW })
  log.apply({ type: 'gap', cause: 'new-log' }, NOW)
  assert.equal(log.at(1), undefined)
  assert.equal(log.lastOwn(), undefined)
  assert.deepEqual(
    [1, 2, 3].map((id) => log.find(id)?.seq),
    [undefined, undefined, undefined],
  )
  for (const it of log.entries) assert.ok(it.type === 'hole' || (!isAnswerable(it) && !isChangeable(it)))
  log.apply(message(1, 'c'), NOW)
  log.apply({ type: 'edit', target: 1, content: 'd', seq: 2, time: NOW, ...entry }, NOW)
  assert.deepEqual(texts(log), ['a', 'b', 'mine', 'new-log', 'd'])
})

test('an answer keeps what it answers, however that changes and whatever log begins', () => {
  const log = told(message(1, 'a'), message(2, 'b', { replyTo: 1 }))
  const original = log.at(1)?.id ?? 0
  assert.equal(log.at(2)?.original, original)
  log.apply({ type: 'edit', target: 1, content: 'c', seq: 3, time: NOW, ...entry }, NOW)
  log.apply({ type: 'gap', cause: 'new-log' }, NOW)
  assert.equal(log.find(original)?.content, 'c')
  log.apply(message(1, 'd'), NOW)
  log.apply(message(2, 'e', { replyTo: 1 }), NOW)
  assert.equal(log.find(last(log).original ?? 0)?.content, 'd')
  log.apply(message(3, 'f', { replyTo: 99 }), NOW)
  assert.equal(last(log).original, undefined)
})

test('only so much is kept', () => {
  const log = new Log('me', { entries: 100, characters: 1000 })
  for (let seq = 1; seq <= 1000; seq += 1) {
    log.apply(message(seq, 'x'), NOW)
    assert.ok(log.entries.length <= 100)
  }
  assert.ok(log.entries.length >= 90)
  assert.deepEqual(log.extent, { dropped: log.dropped, length: log.entries.length })
  assert.equal(log.placeOf(last(log).id), 999)
  assert.equal(log.placeOf(1), undefined)
  assert.equal(log.find(1), undefined)
  assert.equal(log.dropped + log.entries.length, 1000)
  assert.equal(last(log).seq, 1000)
  assert.equal(log.at(1), undefined)
  assert.equal(log.at(1000)?.content, 'x')
  for (let seq = 1001; seq <= 1010; seq += 1) log.apply(message(seq, 'y'.repeat(400)), NOW)
  assert.ok(texts(log).join('').length <= 1000)
  assert.ok(log.entries.length >= 1)
})

test('one message that is larger than all that is kept is kept', () => {
  const log = new Log('me', { entries: 100, characters: 1000 })
  log.apply(message(1, 'x'), NOW)
  log.apply(message(2, 'y'.repeat(5000)), NOW)
  assert.deepEqual(
    log.entries.map((it) => (it as Said).seq),
    [2],
  )
})

test('what is on its way is not dropped', () => {
  const log = new Log('me', { entries: 10, characters: 1000 })
  const id = log.say({ content: 'mine' }, NOW)
  for (let seq = 1; seq <= 100; seq += 1) log.apply(message(seq, 'x'), NOW)
  assert.equal(last(log).id, id)
})
