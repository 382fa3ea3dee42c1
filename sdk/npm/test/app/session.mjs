// A whole session: the same in every runtime, through every bundler. It is written as a user would write it.

import { connect } from 'multichat'

/** The next event of these types. */
async function next (events, ...types) {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error(`there are no more events; waited for ${types}`)
    if (types.includes(value.type)) return value
  }
}

export async function session ({ url, key, WebSocket }) {
  const said = []
  const say = (what) => said.push(what)

  const wrong = await connect({ url, key: 'wrong', name: 'alice', WebSocket }).catch((error) => error)
  say([wrong.name, wrong.code, wrong.retryable])

  const alice = await connect({ url, key, name: 'alice', presence: true, WebSocket })
  const bob = await connect({ url: new URL(url), key: async () => key, name: 'bob', WebSocket })
  say([alice.state.type, alice.state.dialect, alice.state.recovered])
  const heard = bob.events()
  const told = alice.events()

  const { seq } = await alice.send({ content: 'hello, 世界 👋', sender: { name: 'Alice "A"\n', id: 'u1' } })
  const message = await next(heard, 'message')
  say([message.source, message.content, message.sender, message.attachments, message.seq === seq, message.replay])

  const reply = await bob.reply(message.seq, 'hello, alice')
  const answer = await next(told, 'message')
  say([answer.source, answer.content, answer.replyTo === seq, answer.seq === reply.seq])

  await alice.edit(seq, 'hello, all')
  const edit = await next(heard, 'edit')
  say([edit.target === seq, edit.content])

  await alice.attach('', [{ url: 'https://example.org/cat.png', name: 'cat.png', mime: 'image/png', size: 12345 }])
  const picture = await next(heard, 'message')
  say([picture.content, picture.attachments])

  await bob.report(picture.seq, { status: 'failed', reason: 'no pictures here' })
  const receipt = await next(told, 'receipt')
  say([receipt.source, receipt.target === picture.seq, receipt.status, receipt.reason])

  await bob.setStatus('degraded', 'netsplit')
  for (let presence; presence?.status !== 'degraded';) {
    presence = await next(told, 'presence')
    if (presence.status === 'degraded') say([presence.name, presence.text])
  }

  await alice.delete(picture.seq)
  say([(await next(heard, 'delete')).target === picture.seq])

  const refused = await bob.edit(seq, 'mine now').catch((error) => error)
  say([refused.code, refused.unsent, refused.fate])
  const empty = await bob.send('').catch((error) => error)
  say([empty.code, empty.unsent, empty.fate])

  const waits = alice.send('good bye')
  await alice.drain()
  say([(await waits).type, alice.state.type])
  say([(await next(heard, 'message')).content])

  await bob.close()
  say([(await next(heard, 'state')).state, (await heard.next()).done])
  const late = await bob.send('too late').catch((error) => error)
  say([late.code, late.unsent])
  return said
}
