import assert from 'node:assert/strict'
import test from 'node:test'
import { below, sticks } from '../src/model/stick.ts'

const at = (top: number) => ({ top, height: 1000, seen: 400 })

test('whoever goes up by little is not pulled back', () => {
  assert.ok(!sticks(true, at(600), at(590)))
  assert.ok(!sticks(true, at(600), at(100)))
})

test('whoever comes to the end stays there', () => {
  assert.ok(sticks(false, at(500), at(600)))
  assert.ok(sticks(false, at(500), at(585)))
  assert.ok(!sticks(false, at(500), at(550)))
  assert.ok(!sticks(false, at(595), at(585)))
})

test('what comes does not move who is at the end', () => {
  assert.ok(sticks(true, { top: 300, height: 700, seen: 400 }, at(300)))
  assert.ok(sticks(true, at(600), at(600)))
})

test('a larger window that shows more is no way up', () => {
  assert.ok(sticks(true, at(600), { top: 500, height: 1000, seen: 500 }))
  assert.equal(below({ top: 500, height: 900, seen: 500 }), 0)
})

test('nor is it one if something comes at the same time', () => {
  assert.ok(sticks(true, at(600), { top: 560, height: 1030, seen: 440 }))
  assert.ok(!sticks(true, at(600), { top: 550, height: 1030, seen: 440 }))
})
