import assert from 'node:assert/strict'
import test from 'node:test'
import { asPath, asServer, invitation, isForeign, serverOf, titleOfPlace, withoutKey } from '../src/model/place.ts'

const page = (protocol: string, host: string) => ({ protocol, host, hash: '' })

test('the router is where the page came from', () => {
  assert.equal(serverOf(page('https:', 'chat.example.org')), 'wss://chat.example.org/')
  assert.equal(serverOf(page('http:', '127.0.0.1:6780')), 'ws://127.0.0.1:6780/')
  assert.equal(serverOf(page('file:', '')), 'ws://127.0.0.1:6780/')
})

test('a link can have all that it takes', () => {
  assert.deepEqual(invitation('#key=a%20b&name=Nora&path=%2Fchat'), { key: 'a b', name: 'Nora', path: '/chat' })
  assert.deepEqual(invitation('#key=k'), { key: 'k' })
  assert.deepEqual(invitation('#key=k&name='), { key: 'k' })
  for (const hash of ['', '#', '#name=Nora', '#key=', '#other']) assert.equal(invitation(hash), undefined)
})

test('a link leads nobody to another router', () => {
  assert.deepEqual(invitation('#key=k&server=wss%3A%2F%2Fevil.example%2F'), { key: 'k' })
})

test('the key does not stay in the address', () => {
  assert.equal(withoutKey('#key=secret'), '')
  assert.equal(withoutKey('#key=secret&name=Nora&key=again'), '#name=Nora')
})

test('an address is taken as it was meant', () => {
  assert.equal(asServer(' chat.example.org ', { protocol: 'https:' }), 'wss://chat.example.org')
  assert.equal(asServer('127.0.0.1:6780', { protocol: 'http:' }), 'ws://127.0.0.1:6780')
  assert.equal(asServer('https://chat.example.org/', { protocol: 'http:' }), 'wss://chat.example.org/')
  assert.equal(asServer('http://a/', { protocol: 'https:' }), 'ws://a/')
  assert.equal(asServer('wss://a/', { protocol: 'http:' }), 'wss://a/')
  assert.equal(asServer('ftp://a/', { protocol: 'http:' }), 'ftp://a/')
  assert.deepEqual(['', ' chat ', '/chat'].map(asPath), ['', '/chat', '/chat'])
})

test('a place has a short name', () => {
  assert.equal(titleOfPlace({ server: 'wss://chat.example.org/', path: '' }), 'chat.example.org')
  assert.equal(titleOfPlace({ server: 'wss://chat.example.org/a', path: '' }), 'chat.example.org/a')
  assert.equal(titleOfPlace({ server: 'ws://h:1/', path: '/room' }), 'h:1/room')
  assert.equal(titleOfPlace({ server: 'nonsense', path: '' }), 'nonsense')
})

test('a page of another host is foreign to a router', () => {
  assert.ok(isForeign('wss://chat.example.org/', page('https:', 'pages.example.org')))
  assert.ok(!isForeign('wss://chat.example.org/', page('https:', 'chat.example.org')))
})
