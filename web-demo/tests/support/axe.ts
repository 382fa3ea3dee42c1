// Looks for what keeps people out: missing names, faint colours, wrong roles.

import type { Page } from '@playwright/test'
import axe, { type AxeResults } from 'axe-core'
import { expect } from './test.ts'

/**
 * Fails if axe finds anything in what the page shows at the moment. In the dark only the colours are looked at: the
 * rest is as in the light, and looking takes seconds.
 */
export async function expectAccessible(page: Page): Promise<void> {
  // Not as a script of the page: its policy would not let it run.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(async (): Promise<AxeResults> => {
    // What only just appears is faint for a moment.
    const passing = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
    await Promise.allSettled(passing.map(({ finished }) => finished))
    const isDark = matchMedia('(prefers-color-scheme: dark)').matches
    const { axe: injected } = globalThis as unknown as { axe: typeof axe }
    return injected.run(isDark ? { runOnly: ['color-contrast'] } : {})
  })
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary}`),
  )
  expect(found).toEqual([])
}
