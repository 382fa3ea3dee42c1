// Pictures of what the page looks like, to be looked at: nothing is compared.

import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { ChatPage, JoinForm } from '../tests/support/chat.ts'
import { converse } from '../tests/support/scene.ts'
import { expect, FAILED_CONNECTION, test } from '../tests/support/test.ts'

const PHONE = { width: 390, height: 844 }

const take = async (page: Page, name: string) => {
  const path = fileURLToPath(new URL(`../build/pictures/${name}.png`, import.meta.url))
  await page.screenshot({ path, animations: 'disabled' })
}

test.use({ viewport: { width: 1100, height: 720 } })
test.beforeEach(({ problems }) => problems.bear(FAILED_CONNECTION))

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme })

    test('joining', async ({ page, router }) => {
      const form = await JoinForm.open(page, router.page)
      await form.name.fill('Ada')
      await take(page, `join-${colorScheme}`)
      await form.join({ key: 'not the key' })
      await expect(form.failure).toBeVisible()
      await take(page, `failure-${colorScheme}`)
      await page.setViewportSize(PHONE)
      await take(page, `failure-phone-${colorScheme}`)
    })

    test('a conversation', async ({ page, router }) => {
      const chat = await ChatPage.join(page, router, 'Ada')
      await take(page, `empty-${colorScheme}`)
      await converse(chat, router)
      await chat.field.fill('On my way')
      await take(page, `conversation-${colorScheme}`)
      await chat.message('see you at 9').hover()
      await take(page, `actions-${colorScheme}`)
      await chat.choose('Reply', 'see you at 9')
      await take(page, `reply-${colorScheme}`)
      await page.setViewportSize(PHONE)
      await take(page, `phone-${colorScheme}`)
      await page.getByRole('button', { name: /^Who is here/ }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await take(page, `roster-phone-${colorScheme}`)
    })

    test.describe('by touch', () => {
      test.use({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 })

      test('a conversation', async ({ page, router }) => {
        const form = await JoinForm.open(page, router.page)
        await take(page, `touch-join-${colorScheme}`)
        await form.join()
        const chat = new ChatPage(page)
        await chat.expectOnline()
        await converse(chat, router)
        await take(page, `touch-${colorScheme}`)
        await chat.message('Are you all right?').tap()
        await expect(page.getByRole('toolbar')).toBeVisible()
        await take(page, `touch-actions-${colorScheme}`)
        await page.getByRole('toolbar').getByRole('button', { name: 'Edit' }).tap()
        await take(page, `touch-edit-${colorScheme}`)
      })
    })

    test('further up, with new messages', async ({ page, router }) => {
      const chat = await ChatPage.join(page, router, 'Ada')
      const { discord } = await converse(chat, router)
      for (let count = 1; count <= 30; count += 1) await discord.post(`stone ${count} is in place`)
      await chat.log.hover()
      await page.mouse.wheel(0, -700)
      await discord.post('and the arch is done!')
      await expect(chat.pill).toHaveText('1 new message')
      await take(page, `pill-${colorScheme}`)
      await chat.pill.click()
      await expect(chat.message('the arch is done')).toBeInViewport()
      await take(page, `unread-line-${colorScheme}`)
    })

    test('the line is down', async ({ page, router }) => {
      const chat = await ChatPage.join(page, router, 'Ada')
      await converse(chat, router)
      await router.stop()
      await expect(chat.banner).toContainText('Trying again')
      await chat.say('is anybody there?')
      await take(page, `line-down-${colorScheme}`)
      await page.setViewportSize(PHONE)
      await take(page, `line-down-phone-${colorScheme}`)
      await router.restart()
      await chat.expectOnline()
      await expect(chat.log).toContainText('You may have missed messages')
      await page.setViewportSize({ width: 1100, height: 720 })
      await take(page, `gap-${colorScheme}`)
    })
  })
}
