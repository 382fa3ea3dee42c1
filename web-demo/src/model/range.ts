// Which part of the log is in the DOM. Places are counted from the first entry that there ever was, so that they
// stay the same when the oldest are dropped.

/** From `start` on, up to but not with `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The log's extent: so many were dropped, and so many are there. */
export interface Extent {
  readonly dropped: number
  readonly length: number
}

/** How many are shown at the bottom; how many come with each step; and the most in the DOM. */
export const SHOWN = 100
export const STEP = 60
export const MOST = 220

const last = ({ dropped, length }: Extent): number => dropped + length

/** The newest. */
export function tail(extent: Extent): Range {
  return { start: Math.max(extent.dropped, last(extent) - SHOWN), end: last(extent) }
}

/** With older ones; what is too much goes at the other end. */
export function older({ start, end }: Range, extent: Extent): Range {
  const first = Math.max(extent.dropped, start - STEP)
  return { start: first, end: Math.min(end, first + MOST) }
}

/** With newer ones; what is too much goes at the other end. */
export function newer({ start, end }: Range, extent: Extent): Range {
  const until = Math.min(last(extent), end + STEP)
  return { start: Math.max(start, until - MOST), end: until }
}

/** Around one place. */
export function around(place: number, extent: Extent): Range {
  const start = Math.max(extent.dropped, Math.min(place, last(extent) - 1) - SHOWN / 2)
  return { start, end: Math.min(last(extent), start + SHOWN) }
}

/** The same, but with the place that has the focus if there is one before it: the focus must not get lost. */
export function withFocus({ start, end }: Range, focus: number | undefined): Range {
  return focus === undefined || focus >= start ? { start, end } : { start: focus, end: Math.min(end, focus + MOST) }
}

/** The same, as far as it is still there. If nothing of it is, the oldest. */
export function within({ start, end }: Range, extent: Extent): Range {
  const from = Math.min(Math.max(start, extent.dropped), last(extent))
  const until = Math.min(Math.max(end, from), last(extent))
  return until > from ? { start: from, end: until } : around(extent.dropped, extent)
}

/** Whether the newest is in it. */
export const isAtEnd = ({ end }: Range, extent: Extent): boolean => end >= last(extent)
