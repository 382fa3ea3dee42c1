// Runs the session in a page. Where the router is stands in the address bar.

import { session } from './session.mjs'

const options = JSON.parse(decodeURIComponent(location.hash.slice(1)))
session(options).then(
  (said) => { globalThis.result = { said } },
  (error) => { globalThis.result = { error: String(error), stack: error.stack } }
)
