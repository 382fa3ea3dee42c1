// Where the log is scrolled to, and which part of it is in the DOM for that.

import { signal } from '@preact/signals'
import { around, type Extent, isAtEnd, newer, older, type Range, tail, withFocus, within } from '../model/range.ts'
import { below, type Scroll, sticks } from '../model/stick.ts'
import type { Chat, Jump } from '../state/chat.ts'

/** So near to an end of what is in the DOM, more is brought, in pixels. */
const NEAR = 800

/** The height of a line, for wheels that count in lines. */
const LINE = 24

/** A message and where it is seen, so that it stays there when others come and go. */
interface Anchor {
  readonly id: string
  readonly top: number
}

export class Scroller {
  /** The element that is scrolled. */
  box: HTMLElement | null = null
  /** The message that the tab key leads to, if it is in the DOM. */
  tabStop: number | undefined
  readonly #chat: Chat
  /** Counts the changes of what is to be in the DOM that come from scrolling. */
  readonly #changes = signal(0)
  #range: Range = { start: 0, end: 0 }
  /** As it was put, or seen, last. */
  #last: Scroll = { top: 0, height: 0, seen: 0 }
  /** The message that is to be brought into view once it is in the DOM. */
  #target: number | undefined
  #anchor: Anchor | undefined

  constructor(chat: Chat) {
    this.#chat = chat
  }

  /** Before the log is drawn: what of it to draw. */
  plan(): Range {
    void this.#changes.value
    const { log, isAtEnd: isStuck } = this.#chat.session
    const focus = idOf(document.activeElement)
    this.#range = isStuck.value
      ? withFocus(tail(log.extent), focus === undefined ? undefined : log.placeOf(focus))
      : within(this.#range, log.extent)
    this.#anchor = this.#isAtBottom() || !this.box ? undefined : anchorOf(this.box)
    return this.#range
  }

  /** After it was drawn: the reader sees what was seen before, or the end. */
  settle(): void {
    if (!this.box) return
    const { session } = this.#chat
    if (this.#target !== undefined) {
      show(this.box, this.#target)
      this.#target = undefined
    } else if (this.#isAtBottom()) {
      this.#follow()
      return
    } else if (this.#anchor) {
      restore(this.box, this.#anchor)
      // Whoever has the focus on an old message reads there.
      if (session.isAtEnd.peek()) session.look(false)
    }
    this.#last = scrollOf(this.box)
  }

  /** What is in it, or its own size, has changed. */
  readonly resized = (): void => {
    if (this.#chat.session.isAtEnd.peek()) this.#follow()
  }

  go(jump: Jump): void {
    const { session } = this.#chat
    if (jump.to === 'end') {
      this.tabStop = undefined
      session.look(true)
      this.toEnd()
      return
    }
    const place = session.log.placeOf(jump.id)
    if (place === undefined) return
    const isInDom = place >= this.#range.start && place < this.#range.end
    if (!isInDom) this.#range = around(place, session.log.extent)
    this.#target = jump.id
    this.tabStop = jump.id
    session.look(false)
    this.#changes.value += 1
  }

  /** Stays at the end, unless the reader has just left it: the browser tells of that later. */
  #follow(): void {
    if (!this.box) return
    if (sticks(true, this.#last, scrollOf(this.box))) this.toEnd()
    else this.#chat.session.look(false)
  }

  toEnd(): void {
    if (!this.box) return
    this.box.scrollTop = this.box.scrollHeight
    this.#last = scrollOf(this.box)
  }

  readonly onScroll = (): void => {
    if (!this.box) return
    const { session } = this.#chat
    const { extent } = session.log
    const now = scrollOf(this.box)
    const hasNewest = isAtEnd(this.#range, extent)
    const isEnd = hasNewest && sticks(session.isAtEnd.peek(), this.#last, now)
    this.#last = now
    if (isEnd !== session.isAtEnd.peek()) session.look(isEnd)
    if (!isEnd) this.#bring(now, extent)
  }

  /** Else a log that grows pulls back who begins to scroll. */
  readonly onWheel = ({ deltaY }: WheelEvent): void => {
    const { session } = this.#chat
    if (deltaY < 0 && this.box && this.box.scrollTop > 0 && session.isAtEnd.peek()) session.look(false)
  }

  /** The wheel was turned upon something that lies above the log. */
  readonly onWheelAbove = ({ deltaY, deltaMode }: WheelEvent): void => {
    this.box?.scrollBy(0, deltaMode === WheelEvent.DOM_DELTA_PIXEL ? deltaY : deltaY * LINE)
  }

  /** Brings more where the reader comes near an end of what is there. */
  #bring(now: Scroll, extent: Extent): void {
    if (now.top < NEAR && this.#range.start > extent.dropped) this.#range = older(this.#range, extent)
    else if (below(now) < NEAR && !isAtEnd(this.#range, extent)) this.#range = newer(this.#range, extent)
    else return
    this.#changes.value += 1
  }

  #isAtBottom(): boolean {
    const { log, isAtEnd: isStuck } = this.#chat.session
    return isStuck.peek() && isAtEnd(this.#range, log.extent)
  }
}

/** The number of the message that an element belongs to. */
export function idOf(element: EventTarget | null): number | undefined {
  const message = element instanceof Element ? element.closest<HTMLElement>('[data-id]') : null
  return message ? Number(message.dataset.id) : undefined
}

function scrollOf(element: Element): Scroll {
  return { top: element.scrollTop, height: element.scrollHeight, seen: element.clientHeight }
}

/** The first message that is seen. */
function anchorOf(box: HTMLElement): Anchor | undefined {
  const edge = box.getBoundingClientRect().top
  const messages = Array.from(box.querySelectorAll<HTMLElement>('[data-id]'))
  let [from, to] = [0, messages.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((messages[middle]?.getBoundingClientRect().bottom ?? 0) > edge) to = middle
    else from = middle + 1
  }
  const first = messages[from]
  return first && { id: first.dataset.id ?? '', top: first.getBoundingClientRect().top }
}

function restore(box: HTMLElement, { id, top }: Anchor): void {
  const message = box.querySelector(`[data-id="${id}"]`)
  if (!message) return
  const moved = message.getBoundingClientRect().top - top
  if (Math.abs(moved) >= 1) box.scrollTop += moved
}

/** Brings a message into the middle, and lets it be noticed. */
function show(box: HTMLElement, id: number): void {
  const message = box.querySelector<HTMLElement>(`[data-id="${id}"]`)
  if (!message) return
  message.scrollIntoView({ block: 'center' })
  message.focus({ preventScroll: true })
  const colour = getComputedStyle(box).getPropertyValue('--notice')
  message.animate({ background: [colour, colour, 'transparent'], offset: [0, 0.4, 1] }, 2400)
}
