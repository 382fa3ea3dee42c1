// Joining, and each way in which it can fail.

import { createServer } from 'node:net'
import { tls } from './support/built.ts'
import { ChatPage, JoinForm } from './support/chat.ts'
import { KEY } from './support/router.ts'
import { expect, FAILED_CONNECTION, test } from './support/test.ts'

test('whoever has the key joins by the form', async ({ page, router }) => {
  const form = await JoinForm.open(page, router.page)
  await expect(form.server).toHaveValue(router.url)
  await form.join()
  await new ChatPage(page).expectOnline()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(router.host)
})

test('a link with the key joins, and the key leaves the address bar and reaches no log', async ({ page, router }) => {
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await ChatPage.join(page, router, 'Ada')
  await expect(page).not.toHaveURL(new RegExp(KEY))
  await page.reload()
  await expect(page.getByRole('form', { name: 'Join' })).toBeVisible()
  expect(page.url()).not.toContain(KEY)
  expect(
    await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state])),
  ).not.toContain(KEY)
  expect(await page.context().cookies()).toEqual([])
  expect(asked.length).toBeGreaterThan(1)
  expect(asked.filter((url) => new URL(url).pathname.includes(KEY) || new URL(url).search.includes(KEY))).toEqual([])
  await router.stop('SIGTERM')
  expect(router.log).toContain('registered')
  expect(router.log).not.toContain(KEY)
})

test('a link that is opened in a page that is there already joins too', async ({ page, router }) => {
  await JoinForm.open(page, router.page)
  await ChatPage.join(page, router, 'Ada')
  await expect(page).not.toHaveURL(new RegExp(KEY))
})

test('a path in the link is that of the room', async ({ page, startRouter }) => {
  const router = await startRouter({ 'ws-path': '/chat' })
  await page.goto(`${router.page}#${new URLSearchParams({ key: KEY, name: 'Ada', path: '/chat' })}`)
  await new ChatPage(page).expectOnline()
})

test('the key is kept if that is asked for, until one leaves', async ({ page, router }) => {
  const kept = () => page.evaluate(() => JSON.stringify({ ...localStorage }))
  const form = await JoinForm.open(page, router.page)
  await form.join()
  const chat = new ChatPage(page)
  await chat.expectOnline()
  expect(await kept()).not.toContain(KEY)
  await page.reload()
  await expect(form.name).toHaveValue('Ada')
  await expect(form.key).toHaveValue('')

  await form.keep.check()
  await form.join()
  await chat.expectOnline()
  expect(await kept()).toContain(KEY)
  await page.reload()
  await chat.expectOnline()

  await page.getByRole('button', { name: 'Leave' }).click()
  await expect(form.key).toHaveValue('')
  expect(await kept()).not.toContain(KEY)
})

test.describe('it says what is wrong:', () => {
  test.beforeEach(({ problems }) => problems.bear(FAILED_CONNECTION))

  test('a wrong key', async ({ page, router }) => {
    const form = await JoinForm.open(page, router.page)
    await form.join({ key: 'wrong' })
    await expect(form.failure).toContainText('does not accept this key')
    await expect(form.key).toBeFocused()
    await expect(form.key).toHaveAttribute('aria-invalid', 'true')
    // And what was typed is there to be mended.
    await expect(form.name).toHaveValue('Ada')
    await form.key.fill(KEY)
    await form.key.press('Enter')
    await new ChatPage(page).expectOnline()
  })

  test('a name that the router does not take', async ({ page, router }) => {
    const form = await JoinForm.open(page, router.page)
    await form.join({ name: 'x'.repeat(100) })
    await expect(form.failure).toContainText('name')
    await expect(form.name).toBeFocused()
  })

  test('a router that is not there', async ({ page, router }) => {
    // That is not to fail.
    const wasm = page.waitForResponse(/\.wasm$/)
    const form = await JoinForm.open(page, router.page)
    await (await wasm).finished()
    await router.stop()
    await form.join()
    await expect(form.failure).toContainText('The router cannot be reached')
    await expect(form.server).toBeFocused()
    await router.restart()
    await form.button.click()
    await new ChatPage(page).expectOnline()
  })

  test('something that does not answer', async ({ page, router }) => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const form = await JoinForm.open(page, router.page)
    await form.join({ server: `ws://127.0.0.1:${address.port}/` })
    await expect(page.getByRole('button', { name: 'Joining…' })).toBeDisabled()
    // One need not wait for the end of it.
    await page.getByRole('button', { name: 'Cancel' }).click()
    await expect(form.button).toBeEnabled()
    await expect(form.failure).toHaveCount(0)
    silent.close()
  })

  test('a wrong path', async ({ page, startRouter }) => {
    const router = await startRouter({ 'ws-path': '/chat' })
    const form = await JoinForm.open(page, router.page)
    await form.join()
    await expect(form.failure).toContainText('The router cannot be reached')
    await expect(form.failure).toContainText('path')
    await form.path.fill('chat')
    await form.path.press('Enter')
    await new ChatPage(page).expectOnline()
  })

  test('an address that is none', async ({ page, router }) => {
    const form = await JoinForm.open(page, router.page)
    await form.join({ server: 'gopher://router.example' })
    await expect(form.failure).toContainText('not the address of a router')
    await expect(form.server).toBeFocused()
  })

  test('a page of another origin, which the router refuses', async ({ page, router, startRouter }) => {
    const other = await startRouter()
    const form = await JoinForm.open(page, other.page)
    await form.join({ server: router.url })
    await expect(form.failure).toContainText('refuses this page')
    // What the one who runs it has to add.
    await expect(form.failure).toContainText(`"http://${other.host}" to allowed-origins`)
    await expect.poll(() => router.log).toContain('origin not allowed')

    const open = await startRouter({ 'allowed-origins': [`http://${other.host}`] })
    await form.join({ server: open.url })
    await new ChatPage(page).expectOnline()
  })

  test('a page whose policy blocks wasm', async ({ page, startRouter, problems }) => {
    problems.bear(/WebAssembly|policy violation: script-src wasm-eval/)
    const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws:"
    const router = await startRouter({ 'content-security-policy': policy })
    const form = await JoinForm.open(page, router.page)
    await form.join()
    await expect(form.failure).toContainText('WebAssembly')
    await expect(form.failure).toContainText('wasm-unsafe-eval')
  })
})

test.describe('by https', () => {
  test.use({ ignoreHTTPSErrors: true })

  test('it joins a router with TLS, and says why an address without will not do', async ({
    page,
    startRouter,
    problems,
  }) => {
    problems.bear(/Mixed Content/)
    const router = await startRouter({ wss: tls })
    const form = await JoinForm.open(page, `https://router.example:${router.port}/`)
    await form.join({ server: `ws://router.example:${router.port}/` })
    await expect(form.failure).toContainText('A secure page cannot use an insecure router')
    await expect(form.failure).toContainText('wss://')
    await expect(form.server).toBeFocused()
    await form.join({ server: `router.example:${router.port}` })
    await new ChatPage(page).expectOnline()
  })
})

test('the page is as light on the wire as it was built, and is kept by the browser', async ({ page, router }) => {
  const network = await page.context().newCDPSession(page)
  await network.send('Network.enable')
  let bytes = 0
  network.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
  })
  await ChatPage.join(page, router, 'Ada')
  await expect.poll(() => bytes).toBeGreaterThan(60_000)
  expect(bytes).toBeLessThan(150_000)
  bytes = 0
  await page.goto('about:blank')
  await ChatPage.join(page, router, 'Ada')
  // The page itself is asked for again, and what has its hash in its name is not.
  expect(bytes).toBeLessThan(5_000)
})
