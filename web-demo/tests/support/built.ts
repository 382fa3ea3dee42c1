// What was built and is tested here.

import { fileURLToPath } from 'node:url'

/** The page. */
export const dist = fileURLToPath(new URL('../../dist', import.meta.url))

/** The router's program. */
export const server =
  process.env.MULTICHAT_SERVER ?? fileURLToPath(new URL('../../../target/debug/multichat-server', import.meta.url))

/** A certificate that nobody vouches for. */
export const tls = {
  keyfile: fileURLToPath(new URL('../../../server/tests/fixtures/tls/ec-sec1.key', import.meta.url)),
  certfile: fileURLToPath(new URL('../../../server/tests/fixtures/tls/ec.crt', import.meta.url)),
}
