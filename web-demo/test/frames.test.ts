import assert from 'node:assert/strict'
import test from 'node:test'
import { Frames } from '../src/state/frames.ts'

/** Time that passes when the test says so. */
function clock(isVisible = true) {
  let now = 0
  let frames: (() => void)[] = []
  let timers: { readonly at: number; readonly run: () => void }[] = []
  return {
    now: () => now,
    isVisible: () => isVisible,
    frame: (run: () => void) => void frames.push(run),
    later: (run: () => void, millis: number) => void timers.push({ at: now + millis, run }),
    /** Time passes, and with it timers. */
    pass(millis: number) {
      now += millis
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { run } of due) run()
    },
    /** A frame is drawn. */
    draw() {
      const due = frames
      frames = []
      for (const run of due) run()
    },
  }
}

/** What was taken, each time. */
function gathering(time: ReturnType<typeof clock>) {
  const taken: (readonly number[])[] = []
  return { taken, frames: new Frames<number>((items) => taken.push(items), time) }
}

test('what comes before a frame is taken with it, in its order', () => {
  const time = clock()
  const { frames, taken } = gathering(time)
  for (const item of [1, 2, 3]) frames.push(item)
  assert.deepEqual(taken, [])
  time.draw()
  assert.deepEqual(taken, [[1, 2, 3]])
  time.pass(1000)
  assert.deepEqual(taken, [[1, 2, 3]])
})

test('a flood is taken a few times a second, and a single message at once', () => {
  const time = clock()
  const { frames, taken } = gathering(time)
  for (let item = 0; item < 200; item += 1) {
    frames.push(item)
    time.draw()
    time.pass(5)
  }
  assert.ok(taken.length > 8 && taken.length < 14, `${taken.length}`)
  time.pass(1000)
  assert.deepEqual(
    taken.flat(),
    Array.from({ length: 200 }, (_, item) => item),
  )
  time.pass(80)
  frames.push(200)
  time.draw()
  assert.deepEqual(taken.at(-1), [200])
})

test('a page that nobody looks at is told all the same', () => {
  const time = clock(false)
  const { frames, taken } = gathering(time)
  frames.push(1)
  time.pass(249)
  assert.deepEqual(taken, [])
  time.pass(1)
  assert.deepEqual(taken, [[1]])
})

test('a page that is put out of sight before its frame is told all the same', () => {
  const time = clock()
  const { frames, taken } = gathering(time)
  frames.push(1)
  time.pass(250)
  assert.deepEqual(taken, [[1]])
})
