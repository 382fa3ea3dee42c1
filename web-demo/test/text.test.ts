import assert from 'node:assert/strict'
import test from 'node:test'
import {
  amount,
  beginning,
  calm,
  firstLine,
  isBlank,
  parts,
  pieces,
  SHORT,
  safeUrl,
  sizeOf,
} from '../src/model/text.ts'

/** The addresses of the links in a text. */
const links = (text: string) => pieces(text).flatMap((piece) => (piece.type === 'link' ? [piece.text] : []))

/** All of a text, with a sign in place of each mark. */
const plain = (text: string) =>
  pieces(text)
    .map((piece) => (piece.type === 'mark' ? `<${piece.text}>` : piece.text))
    .join('')

test('addresses of the web become links, and nothing else does', () => {
  assert.deepEqual(links('see https://example.org/a?b=c#d and HTTP://EXAMPLE.ORG'), [
    'https://example.org/a?b=c#d',
    'HTTP://EXAMPLE.ORG',
  ])
  for (const text of [
    'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'file:///etc/passwd',
    'ftp://example.org',
    'vbscript:x',
    'example.org',
    'https://',
    'xhttps://example.org',
    'https://user:password@example.org/',
    'https://bank.example@evil.example/',
  ]) {
    assert.deepEqual(links(text), [], text)
    assert.equal(plain(text), text)
  }
})

test('the sentence around an address does not belong to it', () => {
  assert.deepEqual(links('(https://example.org/a).'), ['https://example.org/a'])
  assert.deepEqual(links('https://example.org/wiki/A_(b)'), ['https://example.org/wiki/A_(b)'])
  assert.deepEqual(links('"https://example.org/a", he said'), ['https://example.org/a'])
  assert.deepEqual(links('<https://example.org/a>'), ['https://example.org/a'])
  assert.deepEqual(links('https://example.org/a!?…'), ['https://example.org/a'])
  assert.deepEqual(links('看https://example.org/a，好'), [])
  assert.deepEqual(links('看 https://example.org/a，好'), ['https://example.org/a'])
  assert.deepEqual(links('https://例え.example/パス'), ['https://例え.example/パス'])
})

test('nothing of a text is lost', () => {
  for (const text of [
    '',
    'a',
    'a https://example.org/. b',
    '<b onload=x>https://example.org</b>',
    '\n\n',
    'a\u0000b',
    '😀',
  ]) {
    assert.equal(plain(text), text.replace('\u0000', '<U+0000>'), JSON.stringify(text))
  }
})

test('characters that change how others are shown become marks', () => {
  assert.equal(plain('\u202egnp.exe'), '<U+202E>gnp.exe')
  assert.equal(plain('a\u2066b\u2069'), 'a<U+2066>b<U+2069>')
  assert.deepEqual(pieces('\u202e')[0], { type: 'mark', text: 'U+202E', title: 'U+202E RIGHT-TO-LEFT OVERRIDE' })
  assert.equal(plain('bell\u0007'), 'bell<U+0007>')
  assert.equal(plain('a\r\nb'), 'a\nb')
  // They end an address, so that it cannot be shown backwards.
  assert.deepEqual(links('https://example.org/\u202egnp'), ['https://example.org/'])
  // What right-to-left scripts and emoji need stays.
  assert.equal(plain('שלום\u200f 👩\u200d🚀'), 'שלום\u200f 👩\u200d🚀')
})

test('only addresses of the web are safe', () => {
  assert.equal(safeUrl('https://example.org/a'), 'https://example.org/a')
  assert.equal(safeUrl('http://example.org'), 'http://example.org/')
  for (const address of [
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'JaVaScRiPt:x',
    'data:,x',
    '/a',
    '',
    'https://a@b.example/',
  ]) {
    assert.equal(safeUrl(address), undefined, address)
  }
})

test('heaps of marks are cleared away, and letters with some are not', () => {
  const zalgo = `z${'\u0301'.repeat(500)}a`
  assert.equal(calm(zalgo).length, 6)
  assert.equal(calm('ẹ̀́ नि क्षि'), 'ẹ̀́ नि क्षि')
})

test('what cannot be seen is blank', () => {
  for (const text of ['', ' ', '\n\t', '\u200b\u200b', '\u3164', '\u2800', '\u00ad\u2060', '\u200f']) {
    assert.ok(isBlank(text), JSON.stringify(text))
  }
  for (const text of ['a', '.', '\u200bx', '😀']) assert.ok(!isBlank(text), JSON.stringify(text))
})

test('a long text begins with a part of it', () => {
  assert.equal(beginning('short'), undefined)
  assert.equal(beginning('a'.repeat(SHORT.characters + 1)), undefined)
  assert.equal(beginning('a'.repeat(1_000_000))?.length, SHORT.characters)
  assert.equal(beginning('line\n'.repeat(10_000))?.split('\n').length, SHORT.lines)
  assert.equal(beginning(`${'line\n'.repeat(SHORT.lines)}end`), undefined)
})

test('no character is cut in two', () => {
  const text = `a${'😀'.repeat(100_000)}`
  assert.ok(!/[\ud800-\udbff]$/.test(beginning(text) ?? ''))
  assert.ok(parts(text).every((part) => !/[\ud800-\udbff]$/.test(part)))
})

test('the parts of a long text are all of it, and none is long', () => {
  const texts = [
    '',
    'a'.repeat(1_000_000),
    'line\n'.repeat(10_000),
    '\n'.repeat(10_000),
    `${'a'.repeat(3999)}\n${'b'.repeat(9000)}`,
  ]
  for (const text of texts) {
    const found = parts(text)
    assert.equal(found.join(''), text)
    assert.ok(found.every((part) => part.length <= 4000 && part.split('\n').length <= 62))
  }
})

test('texts of a megabyte are taken apart at once', { timeout: 10_000 }, () => {
  const hard = [
    'https://'.repeat(125_000),
    `https://example.org/${')'.repeat(1_000_000)}`,
    'z\u0301'.repeat(500_000),
    '('.repeat(1_000_000),
  ]
  for (const text of hard) {
    pieces(calm(text))
    isBlank(text)
    beginning(text)
    firstLine(text)
  }
})

test('a quote is one line', () => {
  assert.equal(firstLine('one'), 'one')
  assert.equal(firstLine('\n one\ntwo'), 'one…')
  assert.equal(firstLine('a'.repeat(500)).length, 161)
  assert.equal(firstLine('\u202eabc'), 'abc')
})

test('sizes are for people', () => {
  assert.deepEqual([0, 1, 999, 1000, 12_345, 48_213_000].map(sizeOf), [
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1.0 KB',
    '12 KB',
    '48 MB',
  ])
})

test('how much a long text is, is said in what makes it long', () => {
  assert.equal(amount('line\n'.repeat(80)), '80 lines')
  assert.equal(amount('a long line\n'.repeat(2000)), '2,000 lines')
  assert.equal(amount('ä'.repeat(5000)), '10 KB')
  assert.equal(amount(`${'long '.repeat(1000)}\nand more`), '5.0 KB')
})
