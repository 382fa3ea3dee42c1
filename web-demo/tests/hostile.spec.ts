// Names and texts by strangers who mean harm.

import type { Page } from '@playwright/test'
import { ChatPage } from './support/chat.ts'
import { Client } from './support/client.ts'
import { expect, test } from './support/test.ts'

const MARKUP = [
  '<script>globalThis.harmed = 1</script>',
  '<img src=x onerror="globalThis.harmed = 1">',
  '<svg onload="globalThis.harmed = 1"><style>* { display: none }</style></svg>',
  '"><iframe srcdoc="<script>top.harmed = 1</script>"></iframe>',
  '{{constructor.constructor("globalThis.harmed = 1")()}}',
  '&lt;b&gt; &#60;b&#62;',
]

const ADDRESSES = [
  'javascript:globalThis.harmed=1',
  'JaVaScRiPt://example.org/%0aglobalThis.harmed=1',
  'data:text/html,<script>globalThis.harmed=1</script>',
  'vbscript:msgbox(1)',
  'file:///etc/passwd',
  'https://bank.example@evil.example/',
  'blob:https://example.org/1',
]

/** What the page is made of, apart from what was said. */
const frame = (page: Page) =>
  page.evaluate(() => {
    const box = (selector: string) => {
      const found = document.querySelector(selector)?.getBoundingClientRect()
      return found && [found.x, found.y, found.width, found.height].map(Math.round)
    }
    return {
      bar: box('header'),
      log: box('[role=log]'),
      field: box('textarea'),
      wide: document.documentElement.scrollWidth,
    }
  })

const isHarmed = (page: Page) => page.evaluate(() => 'harmed' in globalThis)

test('markup is text, wherever it stands', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, '<b onclick="globalThis.harmed=1">Ada</b>')
  const before = await frame(page)
  const rich = await Client.rich(router, '<i>mc</i>', { presence: true })
  for (const text of MARKUP) {
    const seq = await rich.post(text, {
      sender: { name: text, id: text, avatar: `https://a.example/${encodeURIComponent(text)}` },
      attachments: [{ url: 'https://files.example/a', name: text, mime: text }],
    })
    await rich.post(`re: ${text}`, { 'reply-to': seq })
    rich.write({ action: 'client-status', status: 'degraded', text })
    await expect(chat.roster).toContainText(text)
    await expect(chat.message(`re: ${text}`)).toBeVisible()
    // As they were written, to the letter.
    await expect(chat.log.getByText(text, { exact: true }).first()).toBeVisible()
  }
  await rich.post('an event', { event: '<script>globalThis.harmed=1</script>' })
  await chat.say(MARKUP[1] ?? '')
  const { seq } = await rich.hear(MARKUP[1])
  rich.write({ action: 'client-receipt', target: seq, status: 'failed', reason: MARKUP[1] })
  await expect(chat.log.locator('.trouble')).toContainText(`Not delivered to <i>mc</i>: ${MARKUP[1]}`)
  await expect(chat.log.locator('script, img, iframe, style, b, i, svg:not(.icon)')).toHaveCount(0)
  expect(await frame(page)).toEqual(before)
  expect(await isHarmed(page)).toBe(false)
})

test('only addresses of the web are links, and none pretends to be another', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const rich = await Client.rich(router, 'mc')
  for (const address of ADDRESSES) await rich.post(`see ${address} there`)
  // The router refuses such attachments; another one may not.
  await page.evaluate(() => undefined)
  await rich.post('last: https://good.example/x')
  const links = chat.log.getByRole('link')
  await expect(chat.message('last:')).toBeVisible()
  const found = await links.evaluateAll((all) =>
    all.map((it) => [(it as HTMLAnchorElement).href, it.getAttribute('rel'), it.getAttribute('target')]),
  )
  expect(found.filter(([href]) => !/^https?:\/\/(example\.org|evil\.example|good\.example)/.test(href ?? ''))).toEqual(
    [],
  )
  expect(found.filter(([href]) => href?.includes('@'))).toEqual([])
  for (const [, rel, target] of found) expect([rel, target]).toEqual(['noopener noreferrer', '_blank'])
  expect(found.at(-1)?.[0]).toBe('https://good.example/x')
  expect(await isHarmed(page)).toBe(false)
})

test('directions and invisible characters change nothing around them', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const before = await frame(page)
  const rich = await Client.rich(router, 'mc')
  const names = [
    '\u202eknird',
    'a\u200bb',
    '\u2066\u2067x',
    '\u200b',
    `Z̸̢̛͕̱͎̲͚̓̈́̌͑a̷͙͔̪̞̒̀͌l̵̛̗͔͇̀̎g̷̰͝o${'\u0301'.repeat(80)}`,
    '\u3164',
    'مرحبا',
    'x'.repeat(250),
    'a\nb\tc',
  ]
  for (const name of names) await rich.post(`by ${names.indexOf(name)}`, { sender: { name } })
  await rich.post('pay \u202eevil\u202c now')
  await rich.post('\u202e'.repeat(1000))
  await rich.post('\u200b\u200d\u2060')
  await rich.post(`Z${'\u0335\u0322'.repeat(500)}algo`)
  await rich.post('שלום (hello) مرحبا 123')
  await rich.post('the end')
  await expect(chat.message('the end')).toBeInViewport()
  // No name may be none, or stand for another by what is not seen.
  for (const heading of await chat.log.locator('header .name').allInnerTexts()) {
    expect(heading.trim()).not.toBe('')
    expect(heading).not.toMatch(/[\u200b\u2060\u202a-\u202e\u2066-\u2069\n\t]/)
    expect(heading.length).toBeLessThan(150)
  }
  await expect(chat.message('pay ')).toContainText('U+202E')
  // No message is without height, or paints over its neighbours.
  const heights = await chat.log
    .getByRole('article')
    .evaluateAll((all) => all.map((it) => it.getBoundingClientRect().height))
  expect(Math.min(...heights)).toBeGreaterThan(10)
  expect(await frame(page)).toEqual(before)
})

test('a megabyte in a line and ten thousand lines leave the page as it is', async ({ page, router }) => {
  const chat = await ChatPage.join(page, router, 'Ada')
  const before = await frame(page)
  const rich = await Client.rich(router, 'mc')
  await rich.post(`wide ${'x'.repeat(1_000_000)}`)
  await rich.post(`tall\n${'line\n'.repeat(10_000)}`)
  await rich.post(`words ${'word '.repeat(100_000)}`)
  await rich.post(`links ${'https://a.example/b '.repeat(20_000)}`)
  await rich.post('after all')
  await expect(chat.message('after all')).toBeInViewport()
  expect(await frame(page)).toEqual(before)
  // It can still be written and scrolled.
  await chat.say('still here')
  await expect(chat.message('still here')).toBeInViewport()
  // And all of each is there for who wants it.
  for (const [text, size] of [
    ['wide', 1_000_000],
    ['tall', 50_000],
  ] as const) {
    const message = chat.message(text)
    await message.getByRole('button', { name: /^Show all/ }).click()
    await expect(message.getByRole('button', { name: 'Show less' })).toBeVisible()
    expect((await message.textContent())?.length).toBeGreaterThan(size)
    expect((await frame(page)).wide).toBe(before.wide)
    await message.getByRole('button', { name: 'Show less' }).click()
    await expect(message.getByRole('button', { name: /^Show all/ })).toBeVisible()
  }
  await chat.say('and here')
  await expect(chat.message('and here')).toContainText('Sent')
})
