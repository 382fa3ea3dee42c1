// The line breaks, and is mended.

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
  await chat.banner.getByRole('button', { name: 'Try now' }).click()
  await chat.expectOnline()
  await expect(chat.banner).toBeHidden()
  // Another log: what was between is not known.
  await expect(chat.log).toContainText('You may have missed messages')
  // What was said is still there, and what is said next arrives.
  await expect(chat.message('before')).toHaveCount(1)
  const plain = await Client.plain(router, 'irc')
  await chat.say('after')
  await plain.hear('after')
  plain.say('welcome back')
  await expect(chat.message('welcome back')).toBeVisible()
})

test('it tries again by itself', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  await router.stop()
  await expect(chat.banner).toBeVisible()
  await router.restart()
  await chat.expectOnline()
})

test('what was said while the line was down is sent or failed, and no text is lost', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  await router.stop()
  await expect(chat.banner).toBeVisible()
  for (const text of ['one', 'two', 'three']) await chat.say(text)
  await router.restart()
  await chat.expectOnline()
  const plain = await Client.rich(router, 'irc', { history: 10 })
  for (const text of ['one', 'two', 'three']) {
    const message = chat.message(text)
    await expect(message).toContainText(/Sent|Not sent|Perhaps not sent/)
    const retry = message.getByRole('button', { name: /Retry|Send again/ })
    if (await retry.isVisible()) await retry.click()
    await expect(message).toContainText('Sent')
    await plain.hear(text)
  }
})
