/** Runs this after all that is on its way by now: promises, and what the network has brought. */
export const soon = (run: () => void): void => {
  next ??= stepping()
  next(run)
}

let next: typeof soon | undefined

/** As soon as can be, which a timer is not: it waits a little, and in a page that nobody sees for long. */
function stepping(): typeof soon {
  const { setImmediate } = globalThis as { setImmediate?: typeof soon }
  if (setImmediate) return setImmediate
  const { port1, port2 } = new MessageChannel()
  const waiting: (() => void)[] = []
  port1.onmessage = () => waiting.shift()?.()
  return (run) => {
    waiting.push(run)
    port2.postMessage(undefined)
  }
}
