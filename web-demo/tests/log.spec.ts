// The log: where it stands, what is new, and what is next to what.

import type { Locator } from '@playwright/test'
import { ChatPage } from './support/chat.ts'
import { Client } from './support/client.ts'
import { expect, test } from './support/test.ts'

test('who reads further up stays there, and is told how many messages are new', async ({ page, router }) => {
  const rich = await Client.rich(router, 'mc')
  for (let count = 1; count <= 80; count += 1) await rich.post(`old ${count}`)
  const chat = await ChatPage.join(page, router, 'Ada')
  await expect(chat.message('old 80')).toBeInViewport()
  await expect(chat.pill).toHaveCount(0)

  await chat.log.hover()
  await page.mouse.wheel(0, -1500)
  await expect(chat.message('old 80')).not.toBeInViewport()
  const seen = await topMessage(chat)
  await rich.post('new 1')
  await expect(chat.pill).toHaveText('1 new message')
  await expect(page).toHaveTitle(/^\(1\)/)
  await rich.post('new 2')
  await expect(chat.pill).toHaveText('2 new messages')
  await expect(page).toHaveTitle(/^\(2\)/)
  expect(await topMessage(chat)).toEqual(seen)

  await chat.pill.click()
  await expect(chat.message('new 2')).toBeInViewport()
  await expect(chat.pill).toHaveCount(0)
  await expect(page).not.toHaveTitle(/^\(/)
  // A line shows where the new ones begin.
  const line = chat.log.getByRole('separator', { name: 'New messages' })
  await expect(line).toHaveCount(1)
  const [above, below] = [await top(line), await top(chat.message('new 1'))]
  expect(above).toBeLessThan(below)
  expect(above).toBeGreaterThan(await top(chat.message('old 80')))
  // And what comes now moves along.
  await rich.post('new 3')
  await expect(chat.message('new 3')).toBeInViewport()
})

test('what was said long ago comes while one scrolls up, and moves nothing', async ({ page, router }) => {
  const rich = await Client.rich(router, 'mc')
  for (let count = 1; count < 600; count += 1) rich.say(`old ${count}`)
  await rich.post('old 600')
  const chat = await ChatPage.join(page, router, 'Ada')
  await expect(chat.message('old 600')).toBeInViewport()
  const beginning = chat.log.getByText('This is as far back as it goes.')
  const first = chat.log.getByRole('article').first()
  while (!(await beginning.isVisible())) {
    const oldest = (await first.textContent()) ?? ''
    const seen = await chat.log.evaluate((log) => {
      log.scrollTop = 500
      const edge = log.getBoundingClientRect().top
      const seen = Array.from(log.querySelectorAll('article')).find((it) => it.getBoundingClientRect().top > edge)
      return { text: seen?.textContent ?? '', top: seen?.getBoundingClientRect().top }
    })
    await expect(first).not.toHaveText(oldest)
    const top = await chat.log
      .getByRole('article')
      .getByText(seen.text.replace(/^\d+:\d+/, ''), { exact: true })
      .evaluate((it) => it.closest('article')?.getBoundingClientRect().top)
    expect(Math.abs((top ?? Number.NaN) - (seen.top ?? Number.NaN)), seen.text).toBeLessThan(2)
  }
  await expect(first).toContainText('old 1')
})

test('the log stays at its end while a long text is written, in browsers too that let no field grow', async ({
  page,
  router,
}) => {
  await page.addInitScript(() => {
    const { supports } = CSS
    CSS.supports = (...args: string[]) => args[0] !== 'field-sizing' && supports.apply(CSS, args as [string])
  })
  const rich = await Client.rich(router, 'mc')
  for (let count = 1; count <= 80; count += 1) rich.say(`old ${count}`)
  await rich.post('the newest')
  const chat = await ChatPage.join(page, router, 'Ada')
  await page.evaluate(() => document.styleSheets[0]?.insertRule('textarea { field-sizing: fixed !important }'))
  const height = async () => (await chat.field.boundingBox())?.height ?? Number.NaN
  const low = await height()
  for (const word of ['one', 'two', 'three']) {
    await chat.field.pressSequentially(word)
    await chat.field.press('Shift+Enter')
  }
  await chat.field.pressSequentially('and more')
  expect(await height()).toBeGreaterThan(3 * low - 48)
  await rich.post('newer still')
  await expect(chat.message('newer still')).toBeInViewport()
  await expect(chat.pill).toHaveCount(0)
  await chat.field.press('Enter')
  await expect.poll(height).toBe(low)
  // The field becomes lower as the message comes.
  await chat.choose('Reply', 'newer still')
  await chat.say('an answer')
  await expect(chat.message('an answer')).toContainText('Sent')
  await expect(chat.message('an answer')).toBeInViewport()
  await expect(chat.pill).toHaveCount(0)
})

test('who leaves the end is not pulled back by what is drawn at that moment', async ({ page, router }) => {
  const rich = await Client.rich(router, 'mc')
  for (let count = 1; count <= 60; count += 1) await rich.post(`old ${count}`)
  const chat = await ChatPage.join(page, router, 'Ada')
  await expect(chat.message('old 60')).toBeInViewport()
  // As by the page-up key, with a message coming under the pointer: the browser tells of the scrolling last.
  await chat.log.evaluate((log) => {
    log.scrollTop -= 300
    log
      .querySelector('article')
      ?.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, pointerType: 'mouse', screenX: 5 }))
  })
  await expect(chat.pill).toHaveText('Go to the newest message')
  await rich.post('new 1')
  await expect(chat.pill).toHaveText('1 new message')
  await expect(chat.message('new 1')).not.toBeInViewport()
})

test('all of a long text is in sight when it is asked for, and then its button', async ({ page, router }) => {
  const rich = await Client.rich(router, 'mc')
  for (const text of ['wide', 'after']) await rich.post(`${text} ${'x'.repeat(10_000)}`)
  const chat = await ChatPage.join(page, router, 'Ada')
  const message = chat.message('wide')
  await message.getByRole('button', { name: /^Show all/ }).click()
  await expect(message.getByRole('group', { name: 'The whole message' })).toBeInViewport({ ratio: 0.99 })
  await message.getByRole('button', { name: 'Show less' }).click()
  await expect(message.getByRole('button', { name: /^Show all/ })).toBeInViewport({ ratio: 0.99 })
})

test('the wheel scrolls wherever the pointer is', async ({ page, router }) => {
  const rich = await Client.rich(router, 'mc')
  for (let count = 1; count <= 80; count += 1) await rich.post(`old ${count}`)
  const chat = await ChatPage.join(page, router, 'Ada')
  await chat.log.hover()
  await page.mouse.wheel(0, -300)
  await chat.pill.hover()
  const before = await topMessage(chat)
  await page.mouse.wheel(0, -300)
  await expect.poll(() => topMessage(chat)).not.toEqual(before)
})

test('a page that nobody looks at tells by its title and its icon', async ({ page, router }) => {
  await page.addInitScript(() => {
    let state = 'visible'
    Object.defineProperty(document, 'visibilityState', { get: () => state })
    addEventListener('test:look', (event) => {
      state = (event as CustomEvent<string>).detail
      document.dispatchEvent(new Event('visibilitychange'))
    })
  })
  const look = (state: string) =>
    page.evaluate((it) => dispatchEvent(new CustomEvent('test:look', { detail: it })), state)
  const icon = () => page.locator('link[rel=icon]').evaluate((it) => (it as HTMLLinkElement).href)
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  const calm = await icon()
  await rich.post('seen')
  await expect(chat.message('seen')).toBeVisible()
  await expect(page).not.toHaveTitle(/^\(/)

  await look('hidden')
  await rich.post('one')
  await rich.post('two')
  // What nobody said is nothing to look up for.
  await rich.post('alex joined', { event: 'join' })
  await expect(page).toHaveTitle(/^\(2\)/)
  await expect.poll(icon).not.toBe(calm)
  await look('visible')
  await expect(page).not.toHaveTitle(/^\(/)
  await expect.poll(icon).toBe(calm)
  await expect(chat.log.getByRole('separator', { name: 'New messages' })).toHaveCount(1)
})

test('messages of one person in a row have one head', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  const alex = { sender: { name: 'alex', id: '1' } }
  await rich.post('one', alex)
  await rich.post('two', alex)
  await rich.post('three', { sender: { name: 'steve', id: '2' } })
  await expect(chat.message('three')).toBeVisible()
  await expect(chat.log.getByText('alex', { exact: true })).toHaveCount(1)
  await expect(chat.log.getByText('steve', { exact: true })).toHaveCount(1)
  // Each can be told by who only hears it.
  for (const [text, name] of [
    ['one', /alex, mc/],
    ['two', /alex, mc/],
    ['three', /steve, mc/],
  ] as const) {
    await expect(chat.message(text)).toHaveAccessibleName(name)
  }
})

test('a source keeps its colour and its badge', async ({ page, router, stranger }) => {
  const rich = await Client.rich(router, 'mc')
  const other = await Client.rich(router, 'qq')
  await rich.post('hello')
  await other.post('hello too')
  const looks = async (chat: ChatPage, text: string | RegExp) => {
    const colour = await chat
      .message(text)
      .locator('.source')
      .evaluate((element) => getComputedStyle(element).color)
    const badge = await chat
      .message(text)
      .locator('.badge')
      .evaluate((element) => getComputedStyle(element).backgroundColor)
    return [colour, badge, await chat.message(text).locator('.badge').textContent()]
  }
  const ada = await ChatPage.join(page, router, 'Ada')
  const bob = await ChatPage.join(await stranger.newPage(), router, 'Bob')
  const mine = await looks(ada, 'hello too')
  expect(await looks(bob, 'hello too')).toEqual(mine)
  expect(await looks(ada, /hello$/)).not.toEqual(mine)
})

test('the day and the exact time are told', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  await rich.post('now')
  await expect(chat.log.getByRole('separator', { name: 'Today' })).toHaveCount(1)
  const time = chat.message('now').locator('time').first()
  await expect(time).toHaveAttribute('title', /\d{4} at \d{2}:\d{2}:\d{2} /)
  await expect(time).toHaveAttribute('datetime', /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/)
})

test('what was being written is there after loading the page anew', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  await chat.field.fill('not yet said')
  await page.goto('about:blank')
  await ChatPage.join(page, router, 'Ada')
  await expect(chat.field).toHaveValue('not yet said')
})

const top = async (locator: Locator) => (await locator.boundingBox())?.y ?? Number.NaN

/** The message at the upper edge of what is seen, and how far it is from there. */
function topMessage(chat: ChatPage): Promise<unknown> {
  return chat.log.evaluate((log) => {
    const edge = log.getBoundingClientRect().top
    const first = Array.from(log.querySelectorAll('article')).find((it) => it.getBoundingClientRect().bottom > edge)
    return first && [first.textContent, Math.round(first.getBoundingClientRect().top - edge)]
  })
}
