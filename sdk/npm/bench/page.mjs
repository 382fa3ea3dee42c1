// The work, for both ways.

import { connect as byPackage } from '/multichat.js'
import { connect as byHand } from '/hand.mjs'

/** How many messages may be without an answer. */
const WINDOW = 256

const ways = {
  hand: byHand,
  async package (options, onMessage) {
    const client = await byPackage(options)
    void (async () => {
      for await (const event of client) if (event.type === 'message') onMessage(event)
    })()
    return client
  }
}

const works = {
  /** Says so many messages, each of which is acknowledged. */
  async send (connect, { messages, text, ...options }) {
    const client = await connect({ ...options, name: 'bench' }, () => {})
    const start = performance.now()
    let left = messages
    const speak = async () => {
      while (left > 0) {
        left -= 1
        await client.send(text)
      }
    }
    await Promise.all(Array.from({ length: WINDOW }, speak))
    const millis = performance.now() - start
    await client.close()
    return millis
  },

  /** Is told so many messages, which the router has in its log: it sends them as fast as they are read. */
  async receive (connect, { messages, text, ...options }) {
    let count = 0
    let bytes = 0
    let start
    let done
    const all = new Promise((resolve) => { done = resolve })
    const client = await connect({ ...options, name: 'reader', history: messages }, ({ content }) => {
      start ??= performance.now()
      count += 1
      bytes += content.length
      if (count === messages) done(performance.now() - start)
    })
    const millis = await all
    if (bytes !== messages * text.length) throw new Error('something else came')
    await client.close()
    return millis
  }
}

/** Does a work in a way; messages per second. */
globalThis.measure = async (work, way, options) => options.messages * 1000 / await works[work](ways[way], options)
