// How it looks, and whether anybody is kept out: phones, light and dark, little motion, screen readers.

import { expectAccessible } from './support/axe.ts'
import { ChatPage, JoinForm } from './support/chat.ts'
import { Client } from './support/client.ts'
import { converse } from './support/scene.ts'
import { expect, FAILED_CONNECTION, test } from './support/test.ts'

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`in the ${colorScheme}`, () => {
    test.use({ colorScheme })

    test('nobody is kept out of joining', async ({ page, router, problems }) => {
      problems.bear(FAILED_CONNECTION)
      const form = await JoinForm.open(page, router.page)
      await expectAccessible(page)
      await form.join({ key: 'wrong' })
      await expect(form.failure).toBeVisible()
      await expectAccessible(page)
    })

    test('nobody is kept out of a conversation', async ({ page, router, problems }) => {
      problems.bear(FAILED_CONNECTION)
      const chat = await ChatPage.join(page, router, 'Ada')
      await expectAccessible(page)
      const { discord } = await converse(chat, router)
      await expectAccessible(page)

      // What is there to be done with a message.
      await chat.message('Are you all right?').hover()
      await expect(page.getByRole('toolbar')).toBeVisible()
      await expectAccessible(page)
      await chat.choose('Reply', 'see you at 9')
      await expectAccessible(page)
      await chat.field.press('Escape')
      await chat.choose('Delete', 'Are you all right?')
      await expect(page.getByRole('dialog')).toBeVisible()
      await expectAccessible(page)
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await expectAccessible(page)
      await page.keyboard.press('Escape')

      // Further up, with new messages below.
      for (let count = 1; count <= 40; count += 1) await discord.post(`and ${count}`)
      await expect(chat.message('and 40')).toBeInViewport()
      await chat.log.hover()
      await page.mouse.wheel(0, -2000)
      await discord.post('a long one\n'.repeat(100))
      await expect(chat.pill).toHaveText('1 new message')
      await expectAccessible(page)
      await chat.pill.click()
      await expectAccessible(page)

      await router.stop()
      await expect(chat.banner).toContainText('Trying again')
      await chat.say('still there?')
      await expectAccessible(page)
    })
  })
}

test('light and dark are as the system has it', async ({ page, router }) => {
  await ChatPage.join(page, router, 'Ada')
  const lightness = async (colorScheme: 'light' | 'dark') => {
    await page.emulateMedia({ colorScheme })
    const [red = 0, green = 0, blue = 0] = await page.evaluate(() => {
      // By a canvas, whatever notation the colour has.
      const context = new OffscreenCanvas(1, 1).getContext('2d')
      if (!context) throw new Error('no canvas')
      context.fillStyle = getComputedStyle(document.body).backgroundColor
      context.fillRect(0, 0, 1, 1)
      return Array.from(context.getImageData(0, 0, 1, 1).data)
    })
    return red + green + blue
  }
  expect(await lightness('light')).toBeGreaterThan(600)
  expect(await lightness('dark')).toBeLessThan(200)
})

for (const width of [320, 390]) {
  test.describe(`on a phone of ${width} pixels`, () => {
    test.use({ viewport: { width, height: 660 }, hasTouch: true, isMobile: true })

    test('everything is within the page, and reached by touch', async ({ page, router, problems }) => {
      problems.bear(FAILED_CONNECTION)
      const form = await JoinForm.open(page, router.page)
      await expectToFit()
      await form.join()
      const chat = new ChatPage(page)
      await chat.expectOnline()
      const { minecraft } = await converse(chat, router)
      await minecraft.post(`${'w'.repeat(300)} https://long.example/${'path/'.repeat(60)}`)
      await expect(chat.message('wwww')).toBeInViewport()
      await expectToFit()
      if (width === 390) await expectAccessible(page)

      await chat.message('Are you all right?').tap()
      await expectToFit()
      await page.getByRole('toolbar').getByRole('button', { name: 'Reply' }).tap()
      await expect(page.getByRole('toolbar')).toHaveCount(0)
      await expectToFit()
      await chat.field.fill('by touch')
      await chat.sendButton.tap()
      await expect(chat.message('by touch')).toContainText('Ada')
      await minecraft.hear('by touch')

      await page.getByRole('button', { name: /Who is here/ }).tap()
      await expect(page.getByRole('dialog')).toContainText('Minecraft')
      await expect(page.getByRole('dialog')).toContainText('14 ticks')
      if (width === 390) await expectAccessible(page)
      await expectToFit()
      await page.getByRole('dialog').getByRole('button', { name: 'Close' }).tap()
      await router.stop()
      await expect(chat.banner).toContainText('Trying again')
      await expectToFit()

      async function expectToFit() {
        const found = await page.evaluate(() => {
          const { scrollWidth, clientWidth } = document.documentElement
          const wide = Array.from(document.querySelectorAll('body, main, form, dialog[open], [role=log]'))
          return [scrollWidth - clientWidth, ...wide.map((it) => it.scrollWidth - it.clientWidth)]
        })
        expect(Math.max(...found)).toBeLessThanOrEqual(0)
        // Nor is a text cut off at the edge.
        const right = await page.locator('.text').evaluateAll((all) =>
          all.flatMap((it) => {
            const range = document.createRange()
            range.selectNodeContents(it)
            return Array.from(range.getClientRects(), (rect) => rect.right)
          }),
        )
        expect(Math.max(0, ...right)).toBeLessThanOrEqual(width)
        // What is to be hit by a finger is large enough (WCAG 2.2, 2.5.5).
        for (const button of await page.getByRole('button').filter({ visible: true }).all()) {
          const box = await button.boundingBox()
          const least = Math.min(box?.width ?? 99, box?.height ?? 99)
          expect(Math.round(least), await button.evaluate((it) => it.outerHTML)).toBeGreaterThanOrEqual(44)
        }
      }
    })
  })
}

test('nothing moves where little motion is wanted', async ({ page, router }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const chat = await ChatPage.join(page, router, 'Ada')
  await converse(chat, router)
  await chat
    .message('that helps')
    .getByRole('button', { name: /Go to what this answers/ })
    .click()
  // A colour that fades is no motion.
  const moving = await page.evaluate(() => {
    const still = [
      'opacity',
      'color',
      'background',
      'backgroundColor',
      'boxShadow',
      'offset',
      'computedOffset',
      'easing',
      'composite',
    ]
    const lasting = document.getAnimations().filter((it) => Number(it.effect?.getComputedTiming().activeDuration) > 10)
    const frames = lasting.flatMap((it) => (it.effect as KeyframeEffect).getKeyframes())
    const smooth = Array.from(document.querySelectorAll('*')).filter(
      (it) => getComputedStyle(it).scrollBehavior === 'smooth',
    )
    return [
      ...frames.flatMap(Object.keys).filter((property) => !still.includes(property)),
      ...smooth.map((it) => it.tagName),
    ]
  })
  expect(moving).toEqual([])
})

test('screen readers are told what comes and how the line is, each by itself', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const plain = await Client.plain(router, 'irc')
  plain.say('hello')
  await expect(chat.message('hello')).toHaveAccessibleName(/^irc, /)
  await expect(chat.log).toHaveAttribute('aria-live', 'polite')
  await expect(chat.log.getByRole('status')).toHaveCount(0)
  await expect(chat.line).toHaveText('Connected')
  await expect(page.locator('html')).toHaveAttribute('lang', 'en')
})
