// Looks for what keeps people out: missing names, faint colours, wrong roles.

import type { Page } from '@playwright/test'
import axe, { type AxeResults } from 'axe-core'
import { expect } from './test.ts'

/** Fails if axe finds anything in what the page shows at the moment. */
export async function expectAccessible(page: Page): Promise<void> {
  // Not as a script of the page: its policy would not let it run.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(
    async (): Promise<AxeResults> => (globalThis as unknown as { axe: typeof axe }).axe.run(),
  )
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary}`),
  )
  expect(found).toEqual([])
}
