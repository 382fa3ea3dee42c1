// The line breaks, and is mended.

import { Cable } from './support/cable.ts'
import { ChatPage } from './support/chat.ts'
import { Client } from './support/client.ts'
import { expect, FAILED_CONNECTION, test } from './support/test.ts'

test.beforeEach(({ problems }) => problems.bear(FAILED_CONNECTION))

test('a router that was killed and comes back is found again', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  await chat.say('before')
  await expect(chat.message('before')).toContainText('Sent')

  await router.stop()
  await expect(chat.banner).toBeVisible()
  await expect(chat.banner).toContainText(/in \d+ s/)
  await expect(chat.line).not.toContainText('Connected')
  // Writing goes on.
  await chat.say('into the dark')
  await expect(chat.message('into the dark')).toContainText('Sending')

  await router.restart()
  await chat.expectOnline()
  await expect(chat.banner).toBeHidden()
  // Another log: what was between is not known.
  await expect(chat.log).toContainText('You may have missed messages')
  // What was said is still there, and what is said next arrives.
  await expect(chat.message('before')).toHaveCount(1)
  await expect(chat.message('into the dark')).toContainText('Sent')
  const plain = await Client.plain(router, 'irc')
  await chat.say('after')
  await plain.hear('after')
  plain.say('welcome back')
  await expect(chat.message('welcome back')).toBeVisible()
})

test('one need not wait for the next try', async ({ page, router }) => {
  const cable = await Cable.lay(router)
  const chat = await ChatPage.join(page, cable, 'Ada')
  const tryNow = chat.banner.getByRole('button', { name: 'Try now' })
  cable.cut()
  await expect(async () => {
    // It waits longer with each try.
    const seconds = Number(/in (\d+) s/.exec((await chat.banner.textContent()) ?? '')?.[1])
    expect(seconds).toBeGreaterThan(2)
    const itself = Date.now() + (seconds - 1) * 1000
    const { attempts } = cable
    await tryNow.click({ timeout: 1000 })
    await expect.poll(() => cable.attempts).toBeGreaterThan(attempts)
    // On a machine that is too slow to tell, once more.
    expect(Date.now()).toBeLessThan(itself)
  }).toPass({ timeout: 60_000 })
  cable.mend()
  // By now the next try by itself may be half a minute away.
  await expect(async () => {
    if (await tryNow.isVisible()) await tryNow.click({ timeout: 1000 })
    await expect(chat.line).toContainText('Connected', { timeout: 2000 })
  }).toPass()
  cable.end()
})

test('what was said while the line was down is sent when it is back', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  await router.stop()
  await expect(chat.banner).toBeVisible()
  for (const text of ['one', 'two', 'three']) await chat.say(text)
  await router.restart()
  await chat.expectOnline()
  for (const text of ['one', 'two', 'three']) await expect(chat.message(text)).toContainText('Sent')
  const plain = await Client.rich(router, 'irc', { history: 10 })
  for (const text of ['one', 'two', 'three']) expect((await plain.hear()).content).toBe(text)
})

test('what may have been lost with the line is not sent twice unasked', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  router.freeze()
  await chat.say('did you get that?')
  await expect(chat.message('did you get that?')).toContainText('Sending')
  await router.stop()
  await router.restart()
  await chat.expectOnline()
  await expect(chat.message('did you get that?')).toContainText('Perhaps not sent')
  const plain = await Client.rich(router, 'irc', { history: 10 })
  await chat.message('did you get that?').getByRole('button', { name: 'Send again' }).click()
  await expect(chat.message('did you get that?')).toContainText(/^((?!ot sent).)*Sent/s)
  await plain.hear('did you get that?')
})

test('after a short break nothing is missing and nothing is there twice', async ({ page, router }) => {
  const cable = await Cable.lay(router)
  const chat = await ChatPage.join(page, cable, 'Ada')
  const rich = await Client.rich(router, 'mc')
  await rich.post('before')
  await expect(chat.message('before')).toBeVisible()
  cable.cut()
  await expect(chat.banner).toBeVisible()
  await rich.post('meanwhile')
  await chat.say('from the dark')
  cable.mend()
  await chat.expectOnline()
  for (const text of ['before', 'meanwhile', 'from the dark']) await expect(chat.message(text)).toHaveCount(1)
  await rich.hear('from the dark')
  await expect(chat.log).not.toContainText('You may have missed')
  // It was as if the page had never been away.
  await chat.choose('Edit', 'from the dark')
  await chat.say('from the light')
  await expect(chat.message('from the light')).toContainText('edited')
  cable.end()
})

test('a long break leaves a gap, with the number of messages', async ({ page, startRouter }) => {
  const router = await startRouter({ limits: { 'log-entries': 100 } })
  const cable = await Cable.lay(router)
  const chat = await ChatPage.join(page, cable, 'Ada')
  const rich = await Client.rich(router, 'mc')
  await rich.post('before')
  await expect(chat.message('before')).toBeVisible()
  cable.cut()
  await expect(chat.banner).toBeVisible()
  for (let count = 1; count <= 150; count += 1) await rich.post(`while away ${count}`)
  cable.mend()
  await chat.expectOnline()
  await expect(chat.message('while away 150')).toBeInViewport()
  await expect(chat.log.getByRole('note')).toContainText(/You may have missed \d+ messages here/)
  await expect(chat.log.getByRole('note')).toHaveCount(1)
  cable.end()
})

test('what the router refuses is handed back', async ({ page, startRouter }) => {
  const router = await startRouter({ limits: { 'packet-bytes': 4096 } })
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  const seq = await rich.post('how was it?', { sender: { name: 'alex' } })
  await chat.choose('Reply', 'how was it?')
  const long = 'too long '.repeat(500)
  await chat.say(long)
  await expect(chat.message('too long')).toContainText('Not sent. It is longer than the router allows.')
  await chat.field.fill('and this?')
  await chat.message('too long').getByRole('button', { name: 'Take back' }).click()
  await expect(chat.field).toHaveValue(`${long}\nand this?`)
  await expect(chat.message('too long')).toHaveCount(0)
  // It is still an answer.
  await expect(page.getByRole('form', { name: 'Write a message' })).toContainText('Replying to alex')
  await chat.say('short')
  expect(await rich.hear('short')).toMatchObject({ 'reply-to': seq })
})

test('a key that was changed ends it, and one can join again', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  await chat.field.fill('half a sente')
  await router.stop()
  await router.restart({ 'secret-key': 'another' })
  await expect(chat.banner).toContainText('does not accept this key')
  await expect(chat.field).toHaveValue('half a sente')
  await router.stop()
  await router.restart()
  await chat.banner.getByRole('button', { name: 'Join again' }).click()
  await chat.expectOnline()
  await expect(chat.field).toHaveValue('half a sente')
})
