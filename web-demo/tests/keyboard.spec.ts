// Everything by the keyboard alone.

import { ChatPage, JoinForm } from './support/chat.ts'
import { Client } from './support/client.ts'
import { KEY } from './support/router.ts'
import { expect, test } from './support/test.ts'

test('a mouse at rest does not point at what is scrolled under it', async ({ page, router }) => {
  const rich = await Client.rich(router, 'mc')
  for (let count = 1; count <= 60; count += 1) await rich.post(`line ${count}`)
  const chat = await ChatPage.join(page, router, 'Ada')
  await expect(chat.message('line 60')).toBeInViewport()
  const box = await chat.message('line 60').boundingBox()
  if (!box) throw new Error('it is not there')
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
  await page.mouse.move(x, y)
  await expect(chat.message('line 60').getByRole('toolbar')).toBeVisible()
  await chat.message('line 60').focus()
  for (let count = 59; count >= 20; count -= 1) {
    await page.keyboard.press('ArrowUp')
    await expect(chat.message(`line ${count}`).getByRole('toolbar')).toBeVisible()
  }
  await expect(chat.message('line 20').getByRole('toolbar')).toBeInViewport()
  await expect(page.getByRole('toolbar')).toHaveCount(1)

  // But as soon as it is moved, be it by little, it does.
  await expect(page.locator('article:hover')).toHaveCount(1)
  await page.mouse.move(x + 1, y)
  await expect(page.locator('article:hover').getByRole('toolbar')).toBeVisible()
})

test('one joins, talks, answers, changes and takes back without a mouse', async ({ page, router }) => {
  const { keyboard } = page
  const form = await JoinForm.open(page, router.page)
  await expect(form.name).toBeFocused()
  await keyboard.type('Ada')
  await keyboard.press('Tab')
  await expect(form.key).toBeFocused()
  await keyboard.type(KEY)
  await keyboard.press('Enter')
  const chat = new ChatPage(page)
  await chat.expectOnline()
  await expect(chat.field).toBeFocused()

  const rich = await Client.rich(router, 'mc')
  await rich.post('one', { sender: { name: 'alex' } })
  await rich.post('two: https://two.example/', { sender: { name: 'steve' } })
  await keyboard.type('three')
  await keyboard.press('Enter')
  await expect(chat.message('three')).toContainText('Sent')

  // Into the log, and through it.
  await keyboard.press('Shift+Tab')
  await expect(chat.message('three')).toBeFocused()
  await keyboard.press('ArrowUp')
  await expect(chat.message('two')).toBeFocused()
  await keyboard.press('Home')
  await expect(chat.message('one')).toBeFocused()
  await keyboard.press('ArrowDown')
  await expect(chat.message('two')).toBeFocused()
  await keyboard.press('Tab')
  await expect(chat.message('two').getByRole('link')).toBeFocused()
  await keyboard.press('Tab')
  await expect(chat.message('two').getByRole('button', { name: 'Reply' })).toBeFocused()
  await keyboard.press('Enter')
  await expect(chat.field).toBeFocused()
  await keyboard.type('an answer')
  await keyboard.press('Enter')
  await expect(chat.message('an answer')).toContainText('steve')
  await expect(chat.message('an answer')).toContainText('Sent')

  // A letter is enough.
  await keyboard.press('Shift+Tab')
  await keyboard.press('Home')
  await keyboard.press('r')
  await expect(page.getByRole('form', { name: 'Write a message' })).toContainText('Replying to alex')
  await keyboard.press('Escape')
  await keyboard.press('Shift+Tab')
  // Where one was before.
  await expect(chat.message('one')).toBeFocused()
  await keyboard.press('End')
  await expect(chat.message('an answer')).toBeFocused()
  await keyboard.press('e')
  await expect(chat.field).toHaveValue('an answer')
  await keyboard.type(', changed')
  await keyboard.press('Enter')
  await expect(chat.message('an answer, changed')).toContainText('edited')
  await keyboard.press('Shift+Tab')
  await expect(chat.message('an answer, changed')).toBeFocused()
  await keyboard.press('Delete')
  const dialog = page.getByRole('dialog', { name: 'Delete this message?' })
  await expect(dialog).toBeVisible()
  await keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await expect(chat.field).toBeFocused()
  await keyboard.press('Shift+Tab')
  await keyboard.press('Delete')
  await dialog.getByRole('button', { name: 'Delete' }).focus()
  await keyboard.press('Enter')
  await expect(chat.message('This message was deleted')).toHaveCount(1)
  await expect(chat.field).toBeFocused()
})

test('the focus is always seen', async ({ page, router }) => {
  const rich = await Client.rich(router, 'mc')
  await rich.post('hello')
  const chat = await ChatPage.join(page, router, 'Ada')
  await expect(chat.message('hello')).toBeVisible()
  const seen = new Set<string>()
  for (let count = 0; count < 12; count += 1) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      if (!element || element === document.body) return undefined
      const around = [element, element.closest('.field'), element.closest('label')].filter((it) => it !== null)
      const isMarked = around.some((it) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(it)
        return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none'
      })
      return { name: element.getAttribute('aria-label') ?? element.textContent ?? '', isMarked }
    })
    if (!focused) continue
    expect(focused.isMarked, focused.name).toBe(true)
    seen.add(focused.name)
  }
  expect(seen.size).toBeGreaterThan(4)
})
