/**
 * What a promise gives, unless the signal is aborted before: then `leave` is called. What was waited for goes on.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, leave: () => void): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => {
      leave()
      reject(signal.reason)
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    const over = () => signal.removeEventListener('abort', abort)
    promise.then(resolve, reject).then(over)
  })
}
