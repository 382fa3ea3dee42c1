// People talk: pages with each other, and with clients of both dialects.

import { ChatPage } from './support/chat.ts'
import { Client } from './support/client.ts'
import { expect, test } from './support/test.ts'

test('two pages and a plain client talk', async ({ page, router, stranger }) => {
  const ada = await ChatPage.join(page, router, 'Ada')
  const bob = await ChatPage.join(await stranger.newPage(), router, 'Bob')
  const plain = await Client.plain(router, 'irc')

  await ada.say('hello, 世界 👋')
  await expect(bob.message('hello, 世界 👋')).toContainText('Ada')
  expect(await plain.hear()).toMatchObject({ 'source-client-name': 'Ada', content: 'hello, 世界 👋' })
  // Each thing that is said is there once, with who said it too.
  await expect(ada.message('hello, 世界 👋')).toHaveCount(1)
  await expect(ada.message('hello, 世界 👋')).toContainText('Sent')

  await bob.say('hello, Ada')
  await expect(ada.message('hello, Ada')).toContainText('Bob')
  plain.say('hello from afar')
  for (const chat of [ada, bob]) await expect(chat.message('hello from afar')).toContainText('irc')
  await expect(ada.log.getByRole('article')).toHaveCount(3)
})

test('who comes later finds what was said', async ({ page, router }) => {
  const plain = await Client.plain(router, 'irc')
  for (let count = 1; count <= 20; count += 1) plain.say(`message ${count}`)
  // They are in the room once somebody has heard the last of them.
  const rich = await Client.rich(router, 'mc', { history: 100 })
  await rich.hear('message 20')
  const chat = await ChatPage.join(page, router, 'Ada')
  await expect(chat.log.getByRole('article')).toHaveCount(20)
  await expect(chat.log.getByRole('article').first()).toContainText('message 1')
  await expect(chat.message('message 20')).toBeInViewport()
  await expect(page).not.toHaveTitle(/\(\d/)
})

test('a reply names what it answers, and leads there', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  const seq = await rich.post('who is there?', { sender: { name: 'alex' } })
  await chat.choose('Reply', 'who is there?')
  await expect(chat.field).toBeFocused()
  await expect(chat.message('who is there?')).toHaveAttribute('aria-current', 'true')
  await chat.say('I am')
  await expect(chat.log.locator('[aria-current]')).toHaveCount(0)
  expect(await rich.hear('I am')).toMatchObject({ 'reply-to': seq })
  await expect(chat.message('I am')).toContainText('alex')

  for (let count = 1; count <= 60; count += 1) await rich.post(`between ${count}`)
  const last = await rich.post('there!', { 'reply-to': seq })
  expect(last).toBeGreaterThan(seq)
  await chat
    .message('there!')
    .getByRole('button', { name: /who is there\?/ })
    .click()
  await expect(chat.message('who is there?').first()).toBeInViewport()
})

test('an edit and a delete are seen by all', async ({ page, router, stranger }) => {
  const ada = await ChatPage.join(page, router, 'Ada')
  const bob = await ChatPage.join(await stranger.newPage(), router, 'Bob')
  const plain = await Client.plain(router, 'irc')
  await ada.say('helo')
  await expect(ada.message('helo')).toContainText('Sent')

  await ada.choose('Edit', 'helo')
  await expect(ada.field).toHaveValue('helo')
  await ada.say('hello')
  for (const chat of [ada, bob]) {
    await expect(chat.message('hello')).toContainText('edited')
    await expect(chat.message(/helo/)).toHaveCount(0)
  }
  await plain.hear('helo')
  await plain.hear('(edited) hello')

  await ada.choose('Delete', 'hello')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  for (const chat of [ada, bob]) {
    await expect(chat.message('This message was deleted')).toHaveCount(1)
    await expect(chat.message('hello')).toHaveCount(0)
  }
  // Nobody may change what another one said.
  await bob.message('This message was deleted').hover()
  await expect(bob.page.getByRole('button', { name: 'Delete' })).toHaveCount(0)
})

test('what bridges report is told with the message', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const good = await Client.rich(router, 'mc')
  const bad = await Client.rich(router, 'qq')
  await chat.say('to all of you')
  const { seq } = await good.hear('to all of you')
  good.write({ action: 'client-receipt', target: seq, status: 'delivered' })
  await expect(chat.message('to all of you')).toContainText('Delivered to mc')
  bad.write({ action: 'client-receipt', target: seq, status: 'failed', reason: 'a word that is not allowed' })
  await expect(chat.message('to all of you')).toContainText('Not delivered to qq: a word that is not allowed')
})

test('a line break stays one, and an input method is not disturbed', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const plain = await Client.plain(router, 'irc')
  await chat.field.pressSequentially('one')
  await chat.field.press('Shift+Enter')
  await chat.field.pressSequentially('two')
  await chat.field.press('Enter')
  expect((await plain.hear()).content).toBe('one\ntwo')

  // As an input method does it: the Enter that takes a suggestion is not one that sends.
  const session = await page.context().newCDPSession(page)
  await session.send('Input.imeSetComposition', { text: 'ni', selectionStart: 2, selectionEnd: 2 })
  await chat.field.dispatchEvent('keydown', { key: 'Enter', code: 'Enter', isComposing: true })
  await session.send('Input.insertText', { text: '你好' })
  await expect(chat.field).toHaveValue('你好')
  await chat.field.press('Enter')
  expect((await plain.hear()).content).toBe('你好')
})

test('the arrow up edits what was said last', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  await chat.say('first')
  await chat.say('lst')
  await expect(chat.message('lst')).toContainText('Sent')
  await chat.field.press('ArrowUp')
  await expect(chat.field).toHaveValue('lst')
  await chat.field.fill('last')
  await chat.field.press('Enter')
  await expect(chat.message('last')).toContainText('edited')
  // And what was being written is back after a change that was given up.
  await chat.field.press('ArrowUp')
  await expect(chat.field).toHaveValue('last')
  await chat.field.press('Escape')
  await expect(chat.field).toHaveValue('')
  await expect(chat.message('last')).toHaveCount(1)
})

test('what only happens is quieter than what people say', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  await rich.post('alex was slain by a zombie', { event: 'death', sender: { name: 'alex' } })
  await rich.post('not again', { sender: { name: 'alex' } })
  const colour = (text: string) =>
    chat
      .message(text)
      .getByText(text)
      .evaluate((element) => getComputedStyle(element).color)
  await expect(chat.message('not again')).toBeVisible()
  expect(await colour('alex was slain by a zombie')).not.toBe(await colour('not again'))
})

test('what is to be done with a long message is at hand at its end, too', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  await page.setViewportSize({ width: 900, height: 400 })
  await rich.post('a line of many\n'.repeat(26))
  await rich.post('after it')
  await expect(chat.message('after it')).toBeInViewport()
  await expect(chat.message('a line of many').locator('.source')).not.toBeInViewport()
  await page.mouse.move(300, 200)
  await expect(page.getByRole('toolbar')).toBeInViewport({ ratio: 1 })
  await page.getByRole('toolbar').getByRole('button', { name: 'Reply' }).click()
  await chat.say('so it is')
  await expect(chat.message('so it is')).toContainText('a line of many')
})

test('an attachment is a link, and a picture is fetched when it is asked for', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  const asked: string[] = []
  await page.route('https://pictures.example/**', async (route) => {
    asked.push(route.request().url())
    await route.fulfill({
      contentType: 'image/svg+xml',
      body: '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"/>',
    })
  })
  await rich.post('look', {
    attachments: [{ url: 'https://pictures.example/cat.svg', name: 'cat.svg', mime: 'image/svg+xml', size: 12345 }],
  })
  const link = chat.message('look').getByRole('link', { name: 'cat.svg' })
  await expect(link).toHaveAttribute('href', 'https://pictures.example/cat.svg')
  await expect(link).toHaveAttribute('rel', 'noopener noreferrer')
  expect(asked).toEqual([])
  await chat.message('look').getByRole('button', { name: 'Show picture' }).click()
  const picture = chat.message('look').getByRole('img', { name: 'cat.svg' })
  await expect(picture).toBeVisible()
  await expect(picture).toHaveJSProperty('naturalWidth', 40)
  await expect(picture).toBeInViewport()
})

test('who is there is listed, with the state of each bridge', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const bridge = await Client.rich(router, 'mc')
  await expect(chat.roster).toContainText('mc')
  bridge.write({ action: 'client-status', status: 'degraded', text: 'the game is slow' })
  await expect(chat.roster).toContainText('the game is slow')
  bridge.write({ action: 'client-status', status: 'offline' })
  await expect(chat.roster).toContainText('its platform is away')
})
