// The page as who uses it finds it: by roles and names, which web-demo/README.md lists.

import type { Locator, Page } from '@playwright/test'
import { KEY, type Router } from './router.ts'
import { expect } from './test.ts'

export class ChatPage {
  readonly page: Page
  readonly log: Locator
  /** Where one writes. */
  readonly field: Locator
  readonly sendButton: Locator
  /** A dot and words: how the line is. */
  readonly line: Locator
  /** What is said when the line is down. */
  readonly banner: Locator
  readonly roster: Locator
  /** Leads to the newest message, and counts those that are new. */
  readonly pill: Locator

  constructor(page: Page) {
    this.page = page
    const composer = page.getByRole('form', { name: 'Write a message' })
    this.log = page.getByRole('log', { name: 'Messages' })
    this.field = composer.getByRole('textbox')
    this.sendButton = composer.getByRole('button', { name: /Send|Save/ })
    this.line = page.getByRole('banner').getByRole('status')
    this.banner = page.getByRole('region', { name: 'Connection' })
    this.roster = page.getByRole('complementary', { name: 'Who is here' }).getByRole('list')
    this.pill = page.getByRole('button', { name: /new messages?$|Go to the newest message/ })
  }

  /** Joins by a link, as an invitation has. */
  static async join(page: Page, router: Pick<Router, 'page'>, name: string): Promise<ChatPage> {
    const chat = new ChatPage(page)
    await page.goto(`${router.page}#${new URLSearchParams({ key: KEY, name })}`)
    await chat.expectOnline()
    return chat
  }

  async expectOnline(): Promise<void> {
    await expect(this.line).toContainText('Connected')
    await expect(this.field).toBeEditable()
  }

  /** The messages that say this, not those that quote it. */
  message(text: string | RegExp): Locator {
    const said = this.page.locator('.text, .whole').filter({ hasText: text })
    return this.log.getByRole('article').filter({ has: said })
  }

  /** Writes and sends. */
  async say(text: string): Promise<void> {
    await this.field.fill(text)
    await this.field.press('Enter')
    await expect(this.field).toHaveValue('')
  }

  /** Chooses what to do with a message, by the mouse. */
  async choose(action: 'Reply' | 'Edit' | 'Delete', text: string): Promise<void> {
    await this.message(text).hover()
    await this.message(text).getByRole('button', { name: action }).click()
  }
}

/** The form to join with. */
export class JoinForm {
  readonly page: Page
  readonly server: Locator
  readonly name: Locator
  readonly key: Locator
  readonly path: Locator
  readonly keep: Locator
  readonly button: Locator
  readonly failure: Locator

  constructor(page: Page) {
    this.page = page
    const form = page.getByRole('form', { name: 'Join' })
    this.server = form.getByLabel('Server address')
    this.name = form.getByLabel('Your name')
    this.key = form.getByLabel('Key', { exact: true })
    this.path = form.getByLabel('Room path')
    this.keep = form.getByLabel('Remember the key on this device')
    this.button = form.getByRole('button', { name: 'Join' })
    this.failure = page.getByRole('alert')
  }

  static async open(page: Page, address: string): Promise<JoinForm> {
    await page.goto(address)
    const form = new JoinForm(page)
    await expect(form.button).toBeVisible()
    return form
  }

  async join({
    server,
    name = 'Ada',
    key = KEY,
  }: {
    server?: string
    name?: string
    key?: string
  } = {}): Promise<void> {
    if (server !== undefined) await this.server.fill(server)
    await this.name.fill(name)
    await this.key.fill(key)
    await this.button.click()
  }
}
