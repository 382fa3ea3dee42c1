// Whether the log stays at its end when something comes.

/** Where a scrolled box stands, in pixels. */
export interface Scroll {
  readonly top: number
  /** Of all that is in it. */
  readonly height: number
  /** Of what is seen of it. */
  readonly seen: number
}

/** So near to the end counts as at the end. */
const NEAR = 24

/** How far it is to the end. */
export const below = ({ top, height, seen }: Scroll): number => Math.max(0, height - seen - top)

/**
 * Whether it is at the end after it was scrolled, or has changed. `before` is how the page itself has left it: who goes
 * up from there, be it by little, wants to stay there, and is not pulled back. A box that grows goes up by itself as
 * far as there is nothing left below.
 */
export function sticks(isStuck: boolean, before: Scroll, now: Scroll): boolean {
  const isGoingUp = now.top < Math.min(before.top, before.height - now.seen) - 1
  if (isStuck) return !isGoingUp || below(now) <= 1
  return !isGoingUp && below(now) <= NEAR
}
