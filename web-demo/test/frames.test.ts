import assert from 'node:assert/strict'
import test from 'node:test'
import { Frames } from '../src/state/frames.ts'

/** Frames and timers that come when the test says so. */
function scheduler(visible: boolean) {
  const waiting = { frames: [] as (() => void)[], timers: [] as (() => void)[] }
  return {
    ...waiting,
    isVisible: () => visible,
    frame: (run: () => void) => {
      waiting.frames.push(run)
    },
    later: (run: () => void) => {
      waiting.timers.push(run)
    },
  }
}

test('what comes within a frame is taken at once, in its order', () => {
  const taken: (readonly number[])[] = []
  const clock = scheduler(true)
  const frames = new Frames<number>((items) => taken.push(items), clock)
  for (const item of [1, 2, 3]) frames.push(item)
  assert.deepEqual([taken, clock.frames.length], [[], 1])
  clock.frames[0]?.()
  clock.timers[0]?.()
  assert.deepEqual(taken, [[1, 2, 3]])
  frames.push(4)
  clock.frames[1]?.()
  assert.deepEqual(taken, [[1, 2, 3], [4]])
})

test('a page that nobody looks at is told all the same', () => {
  const taken: (readonly number[])[] = []
  const clock = scheduler(false)
  const frames = new Frames<number>((items) => taken.push(items), clock)
  frames.push(1)
  assert.deepEqual([clock.frames.length, clock.timers.length], [0, 1])
  clock.timers[0]?.()
  assert.deepEqual(taken, [[1]])
})
