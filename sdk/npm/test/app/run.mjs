// Runs the session in Node.js, Deno or Bun, and prints what came of it.

import { session } from './session.mjs'

const [url, key, withWs] = process.argv.slice(2)
const { WebSocket } = withWs ? await import('ws') : {}
console.log(JSON.stringify(await session({ url, key, WebSocket })))
