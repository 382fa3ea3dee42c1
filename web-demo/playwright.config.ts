import { defineConfig } from '@playwright/test'

const executablePath = process.env.CHROMIUM
if (!executablePath) {
  throw new Error('CHROMIUM has to say where the browser is; `scripts/with-tools --browser` finds it.')
}

export default defineConfig({
  globalSetup: './tests/support/setup.ts',
  outputDir: 'build/tests',
  fullyParallel: true,
  // Each has a browser and a router, and some of them a flood.
  workers: 2,
  forbidOnly: true,
  reporter: 'list',
  // Nothing takes as long, on the slowest machine: only a failure waits for it.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  projects: [
    { name: 'tests', testDir: 'tests' },
    { name: 'pictures', testDir: 'pictures', testMatch: '*.ts' },
  ],
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath,
      args: ['--disable-gpu', '--disable-background-networking', '--host-resolver-rules=MAP *.example 127.0.0.1'],
    },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    trace: 'retain-on-failure',
  },
})
