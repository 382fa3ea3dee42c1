import { localeOf, Times } from '../model/time.ts'

/** Times as the reader's browser writes them. */
export const times = new Times(localeOf(navigator.languages))
