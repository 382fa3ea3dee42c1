// A test with a router, and with an eye on what the browser complains of.

import { type BrowserContext, test as base, expect } from '@playwright/test'
import { Router } from './router.ts'

export { expect }

/** What the browser complained of: errors that were thrown or logged, and violations of the page's policy. */
export class Problems {
  readonly found: string[] = []
  readonly #borne: RegExp[] = []

  /** Complaints of this kind belong to what is tested. */
  bear(kind: RegExp): void {
    this.#borne.push(kind)
  }

  get unexpected(): string[] {
    return this.found.filter((problem) => !this.#borne.some((kind) => kind.test(problem)))
  }

  async watch(context: BrowserContext): Promise<void> {
    context.on('weberror', (error) => this.found.push(`thrown: ${error.error().stack}`))
    context.on('console', (message) => {
      if (message.type() === 'error') this.found.push(message.text())
    })
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) => {
        console.error(`policy violation: ${effectiveDirective} ${blockedURI} ${sample}`)
      })
    })
  }
}

interface Fixtures {
  /** Starts a router, which ends with the test; `fields` are added to its config file. */
  startRouter: (fields?: object) => Promise<Router>
  router: Router
  /** A context for a second person. */
  stranger: BrowserContext
  problems: Problems
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: this is how a fixture says that it needs no other.
  startRouter: async ({}, use) => {
    const routers: Router[] = []
    await use(async (fields) => {
      const router = await Router.start(fields)
      routers.push(router)
      return router
    })
    await Promise.all(routers.map((router) => router.end()))
  },
  router: async ({ startRouter }, use) => use(await startRouter()),
  stranger: async ({ browser, contextOptions, problems }, use) => {
    const context = await browser.newContext(contextOptions)
    await problems.watch(context)
    await use(context)
    await context.close()
  },
  problems: [
    async ({ context }, use) => {
      const problems = new Problems()
      await problems.watch(context)
      await use(problems)
      expect(problems.unexpected, 'what the browser complained of').toEqual([])
    },
    { auto: true },
  ],
})

/** What a browser says of a connection that fails, whatever the page makes of it. */
export const FAILED_CONNECTION = /WebSocket connection to/
