import assert from 'node:assert/strict'
import test from 'node:test'
import { failureOf, interruption, refusal } from '../src/model/failure.ts'

const page = { protocol: 'https:', host: 'chat.example.org', hash: '' }
const here = 'wss://chat.example.org/'
const cause = (code: string) => ({ code, explanation: `about ${code}` })

/** All that there are on the way to a router: see ErrorCode of the package. */
const codes = [
  'invalid-url',
  'invalid-name',
  'invalid-key',
  'unreachable',
  'mixed-content',
  'no-websocket',
  'timeout',
  'lost',
  'key-probably-refused',
  'no-router',
  'unauthorized',
  'bad-register',
  'revoked',
  'overloaded',
  'going-away',
  'rate-limited',
  'wasm-blocked',
  'wasm-unavailable',
]

test('each failure has words of its own', () => {
  for (const code of codes) {
    const { title, advice } = failureOf(cause(code), here, page)
    assert.notEqual(title, 'That did not work', code)
    assert.ok(
      (title.length > 10 && !title.endsWith('.') && advice.endsWith('.')) || code === 'invalid-key',
      `${title} ${advice}`,
    )
  }
})

test('what is not known is told by the package', () => {
  assert.deepEqual(failureOf(cause('new-in-2030'), here, page), {
    title: 'That did not work',
    advice: 'about new-in-2030',
  })
  assert.equal(refusal(cause('new-in-2030')), 'about new-in-2030')
  assert.equal(interruption(cause('new-in-2030')), 'The connection was lost.')
})

test('a router that sends away may be restarting, or have the room no more', () => {
  for (const words of [failureOf(cause('going-away'), here, page).title, interruption(cause('going-away'))]) {
    assert.match(words, /restarting.*room is gone/)
  }
})

test('each leads to the field that it is about', () => {
  const fields = ['unauthorized', 'bad-register', 'unreachable', 'mixed-content', 'wasm-blocked'].map(
    (code) => failureOf(cause(code), here, page).field,
  )
  assert.deepEqual(fields, ['key', 'name', 'server', 'server', undefined])
})

test('a page of another host is told how the router would let it connect', () => {
  const foreign = failureOf(cause('unreachable'), 'wss://router.example.org/', page)
  assert.match(foreign.advice, /adds "https:\/\/chat\.example\.org" to allowed-origins/)
  assert.doesNotMatch(failureOf(cause('unreachable'), here, page).advice, /origin/)
})
