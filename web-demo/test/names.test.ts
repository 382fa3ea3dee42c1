import assert from 'node:assert/strict'
import test from 'node:test'
import { friendlyName, initials, shownName } from '../src/model/names.ts'

test('a name is shown as one line without anything invisible', () => {
  assert.equal(shownName('alice'), 'alice')
  assert.equal(shownName(' al\n  ice\t'), 'al ice')
  assert.equal(shownName('al\u200bice'), 'alice')
  assert.equal(shownName('\u202eecila'), 'ecila')
  assert.equal(shownName('<b>alice</b>'), '<b>alice</b>')
  assert.equal(shownName('عائشة'), 'عائشة')
  assert.equal(shownName('👩\u200d🚀'), '👩\u200d🚀')
})

test('a name that cannot be seen is said to be none', () => {
  const unseen = ['', ' ', '\u200b', '\u200d', '\u202e\u2069', '\n', '\u3164', '\u115f \u1160', '\u2800', '\u034f']
  for (const name of unseen) assert.equal(shownName(name), '(no name)', JSON.stringify(name))
})

test('a long name is cut, and heaps of marks are cleared away', () => {
  assert.equal(Array.from(shownName('😀'.repeat(1000))).length, 60)
  assert.ok(shownName('a'.repeat(1_000_000)).endsWith('a…'))
  assert.ok(shownName(`z${'\u0301'.repeat(900)}`).length < 10)
})

test('a badge has one or two characters', () => {
  const expected = {
    irc: 'IR',
    'mine craft': 'MC',
    QQ: 'QQ',
    聊天室: '聊',
    x: 'X',
    '#': '?',
    'чат бот': 'ЧБ',
    '': 'NN',
  }
  for (const [name, badge] of Object.entries(expected)) assert.equal(initials(name), badge, name)
})

test('a made-up name is friendly, and one that a router takes', () => {
  assert.equal(
    friendlyName(() => 0),
    'Amber Badger 10',
  )
  assert.equal(
    friendlyName(() => 0.999_999),
    'Witty Wren 99',
  )
})
