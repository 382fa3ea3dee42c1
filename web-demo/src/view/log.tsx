// The log. Only a part of it is in the DOM; it grows at the ends as the reader comes near them.

import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import { continues, type Entry, type Said } from '../model/entry.ts'
import type { Log } from '../model/log.ts'
import { around, isAtEnd, newer, older, type Range, tail, withFocus, within } from '../model/range.ts'
import { below, type Scroll, sticks } from '../model/stick.ts'
import { isSameDay } from '../model/time.ts'
import { newMessages } from '../model/unread.ts'
import type { Chat, Jump } from '../state/chat.ts'
import { times } from '../state/times.ts'
import { Icon } from './icons.tsx'
import { onLogKey } from './keys.ts'
import { Row } from './row.tsx'

/** So near to an end of what is in the DOM, more is brought, in pixels. */
const NEAR = 800

/** A message and where it is seen, so that it stays there when others come and go. */
interface Anchor {
  readonly id: string
  readonly top: number
}

export function LogView({ chat }: { chat: Chat }) {
  const { session } = chat
  const { log } = session
  void session.revision.value
  const isStuck = session.isAtEnd.value
  const unread = session.unread.value
  const active = chat.active.value
  const box = useRef<HTMLDivElement>(null)
  const range = useRef<Range>({ start: 0, end: 0 })
  const lastTop = useRef(0)
  const target = useRef<Jump | undefined>(undefined)
  const tabStop = useRef<number | undefined>(undefined)
  const [, redraw] = useReducer((count: number) => count + 1, 0)

  const { entries } = log
  const extent = { dropped: log.dropped, length: entries.length }
  range.current = isStuck
    ? withFocus(tail(extent), placeOf(idOf(document.activeElement), log))
    : within(range.current, extent)
  const { start, end } = range.current
  const shown = entries.slice(start - extent.dropped, end - extent.dropped)
  const isAtBottom = isStuck && isAtEnd(range.current, extent)
  const anchor = isAtBottom ? undefined : anchorOf(box.current)

  const toEnd = () => {
    const element = box.current
    if (!element) return
    element.scrollTop = element.scrollHeight
    lastTop.current = element.scrollTop
  }

  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    if (target.current?.to === 'message') {
      const { id } = target.current
      target.current = undefined
      show(element, id)
    } else if (isAtBottom) {
      toEnd()
    } else if (anchor) {
      restore(element, anchor)
      // Whoever has the focus on an old message reads there.
      if (isStuck) session.look(false)
    }
    lastTop.current = element.scrollTop
  })

  const go = (jump: Jump) => {
    if (jump.to === 'end') {
      tabStop.current = undefined
      session.look(true)
      toEnd()
      return
    }
    const at = placeOf(jump.id, log)
    if (at === undefined) return
    const isInDom = at >= range.current.start && at < range.current.end
    if (!isInDom) range.current = around(at, { dropped: log.dropped, length: log.entries.length })
    target.current = jump
    tabStop.current = jump.id
    session.look(false)
    redraw(undefined)
  }

  useEffect(() => chat.jump.subscribe((jump) => jump && go(jump)), [])

  // The window changed its size, or what is written takes more lines.
  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver(() => session.isAtEnd.peek() && toEnd())
    observer.observe(element)
    for (const child of element.children) observer.observe(child)
    return () => observer.disconnect()
  }, [])

  const onScroll = () => {
    const element = box.current
    if (!element) return
    const now = scrollOf(element)
    const hasNewest = isAtEnd(range.current, extent)
    const isEnd = hasNewest && sticks(session.isAtEnd.peek(), { top: lastTop.current }, now)
    lastTop.current = now.top
    if (isEnd !== session.isAtEnd.peek()) session.look(isEnd)
    if (isEnd) return
    const isUp = now.top < NEAR && start > extent.dropped
    const isDown = below(now) < NEAR && !hasNewest
    if (isUp) range.current = older(range.current, extent)
    else if (isDown) range.current = newer(range.current, extent)
    if (isUp || isDown) redraw(undefined)
  }

  // Else a log that grows pulls back who begins to scroll.
  const onWheel = ({ deltaY }: WheelEvent) => {
    const element = box.current
    if (deltaY < 0 && element && element.scrollTop > 0 && session.isAtEnd.peek()) session.look(false)
  }

  const stop = shown.some(({ id }) => id === tabStop.current) ? tabStop.current : lastSaid(shown)?.id
  const now = Date.now()
  return (
    <div class="log-place">
      <div
        ref={box}
        class="log"
        role="log"
        aria-label="Messages"
        // What was scrolled into is not read out as if it was said just now.
        aria-live={isStuck && !session.isCatchingUp.value ? 'polite' : 'off'}
        onScroll={onScroll}
        onWheel={onWheel}
        onKeyDown={(event) => onLogKey(event, chat)}
        onPointerDown={() => {
          chat.isByPointer = true
        }}
        onFocusIn={({ target: element }) => {
          const id = idOf(element)
          if (id === undefined) return
          tabStop.current = id
          chat.active.value = id
        }}
        onFocusOut={({ relatedTarget }) => {
          if (!(relatedTarget instanceof Node && box.current?.contains(relatedTarget))) chat.active.value = undefined
        }}
        onPointerOver={({ target: element, pointerType }) => {
          if (pointerType === 'mouse') chat.active.value = idOf(element) ?? chat.active.value
        }}
        onPointerLeave={({ pointerType }) => {
          if (pointerType === 'mouse') chat.active.value = idOf(document.activeElement)
        }}
        onClick={({ target: element }) => {
          chat.active.value = idOf(element)
        }}
      >
        <div class="rows">
          {start === extent.dropped && <Beginning isEmpty={entries.length === 0} isCut={extent.dropped > 0} />}
          {shown.map((entry, index) => {
            const before = shown[index - 1] ?? entries[start - extent.dropped - 1]
            const isUnread = entry.id === unread.line
            const isNewDay = !before || !isSameDay(before.time, entry.time)
            return (
              <Row
                key={entry.id}
                chat={chat}
                entry={entry}
                day={isNewDay ? times.day(entry.time, now) : undefined}
                isUnread={isUnread}
                hasHead={isNewDay || isUnread || !continues(before, entry)}
                original={originalOf(entry, chat)}
                isActive={entry.id === active}
                isTabStop={entry.id === stop}
              />
            )
          })}
        </div>
      </div>
      {!isStuck && (
        <button
          type="button"
          class={unread.count > 0 ? 'pill new' : 'pill'}
          onClick={() => {
            chat.jump.value = { to: 'end' }
            chat.write()
          }}
        >
          <Icon name="down" />
          {unread.count > 0 ? newMessages(unread.count) : <span class="unseen">Go to the newest message</span>}
        </button>
      )}
    </div>
  )
}

function Beginning({ isEmpty, isCut }: { isEmpty: boolean; isCut: boolean }) {
  if (isCut) return <p class="beginning">Older messages are not kept on this page.</p>
  if (!isEmpty) return <p class="beginning">This is as far back as it goes.</p>
  return (
    <div class="empty">
      <p class="empty-title">Nothing has been said yet</p>
      <p>What you write here is heard on every platform that is connected, and what is said there appears here.</p>
    </div>
  )
}

function originalOf(entry: Entry, { session: { log } }: Chat): Said | undefined {
  return entry.type === 'said' && entry.replyTo !== undefined ? log.at(entry.replyTo) : undefined
}

const lastSaid = (entries: readonly Entry[]) => entries.findLast(({ type }) => type === 'said')

/** The place of the entry with this number, as in model/range.ts. */
function placeOf(id: number | undefined, { entries, dropped }: Log): number | undefined {
  const index = id === undefined ? -1 : entries.findLastIndex((entry) => entry.id === id)
  return index < 0 ? undefined : index + dropped
}

/** The number of the message that an element belongs to. */
function idOf(element: EventTarget | null): number | undefined {
  const message = element instanceof Element ? element.closest<HTMLElement>('[data-id]') : null
  return message ? Number(message.dataset.id) : undefined
}

function scrollOf(element: Element): Scroll {
  return { top: element.scrollTop, height: element.scrollHeight, seen: element.clientHeight }
}

/** The first message that is seen. */
function anchorOf(box: HTMLElement | null): Anchor | undefined {
  const edge = box?.getBoundingClientRect().top ?? 0
  const messages = box ? Array.from(box.querySelectorAll<HTMLElement>('[data-id]')) : []
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
