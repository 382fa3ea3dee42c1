// Much at once.

import { ChatPage } from './support/chat.ts'
import { Client } from './support/client.ts'
import { expect, test } from './support/test.ts'

/** So many messages the page may have in its DOM, and no more whatever comes. */
const MOST = 300

test('ten thousand messages are all there, and few of them in the DOM', async ({ page, startRouter }) => {
  // It keeps them all, however long the page takes to read them.
  const router = await startRouter({ limits: { 'log-entries': 20_000 } })
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  for (let count = 1; count <= 10_000; count += 1) rich.say(`message ${count} of many`)
  await expect(chat.message('message 10000 of many')).toBeInViewport()
  const articles = chat.log.getByRole('article')
  expect(await articles.count()).toBeLessThanOrEqual(MOST)

  // Upwards, as far as it goes: no message is left out, and none comes twice.
  const first = async () => Number(/message (\d+) of/.exec((await articles.first().textContent()) ?? '')?.[1])
  await chat.log.hover()
  let oldest = await first()
  while (oldest > 9300) {
    await page.mouse.wheel(0, -4000)
    await expect.poll(first).toBeLessThan(oldest)
    const numbers = (await articles.allTextContents()).map((text) => Number(/message (\d+) of/.exec(text)?.[1]))
    expect(numbers.length).toBeLessThanOrEqual(MOST)
    const [from = 0] = numbers
    expect(numbers).toEqual(numbers.map((_, index) => from + index))
    oldest = from
  }
  // And back to the newest at once.
  await chat.pill.click()
  await expect(chat.message('message 10000 of many')).toBeInViewport()
  expect(await articles.count()).toBeLessThanOrEqual(MOST)

  // Who comes now gets them all at once.
  await page.goto('about:blank')
  await ChatPage.join(page, router, 'Ada')
  await expect(chat.message('message 10000 of many')).toBeInViewport()
  expect(await articles.count()).toBeLessThanOrEqual(MOST)
  await chat.say('so many!')
  await expect(chat.message('so many!')).toContainText('Sent')
})

test('two hundred messages a second do not swallow a letter', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  const listener = await Client.plain(router, 'irc')
  const total = 800
  let sent = 0
  const flood = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (let count = 0; count < 10; count += 1) {
        sent += 1
        rich.say(`flood ${sent}`)
      }
      if (sent < total) return
      clearInterval(timer)
      resolve()
    }, 50)
  })
  let typed = ''
  // As long as it lasts.
  while (sent < total) {
    const word = `word${typed.length} `
    await chat.field.pressSequentially(word)
    typed += word
  }
  await flood
  await expect(chat.field).toHaveValue(typed)
  await chat.field.press('Enter')
  await listener.hear(typed)
  await expect(chat.message(`flood ${total}`)).toHaveCount(1)
  // It was typed while they came, not after.
  expect(typed.length).toBeGreaterThan(20)
})
