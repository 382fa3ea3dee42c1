// The log. Only a part of it is in the DOM; it grows at the ends as the reader comes near them.

import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { continues, type Entry, type Said } from '../model/entry.ts'
import { isSameDay } from '../model/time.ts'
import { newMessages } from '../model/unread.ts'
import type { Chat } from '../state/chat.ts'
import { times } from '../state/times.ts'
import { Icon } from './icons.tsx'
import { onLogKey } from './keys.ts'
import { Row } from './row.tsx'
import { idOf, Scroller } from './scroller.ts'

export function LogView({ chat }: { chat: Chat }) {
  const { session } = chat
  const scroller = useMemo(() => new Scroller(chat), [chat])
  const mouse = useRef<{ screenX: number; screenY: number }>(undefined)

  useEffect(() => chat.jump.subscribe((jump) => jump && scroller.go(jump)), [scroller])
  useEffect(() => {
    const observer = new ResizeObserver(scroller.resized)
    if (scroller.box) observer.observe(scroller.box)
    for (const child of scroller.box?.children ?? []) observer.observe(child)
    return () => observer.disconnect()
  }, [scroller])

  return (
    <div class="log-place">
      <div
        ref={(element) => {
          scroller.box = element
        }}
        class="log"
        role="log"
        aria-label="Messages"
        // What was scrolled into, or caught up on, is not read out as if it was said just now.
        aria-live={session.isAtEnd.value && !session.isCatchingUp.value ? 'polite' : 'off'}
        onScroll={scroller.onScroll}
        onWheel={scroller.onWheel}
        onKeyDown={(event) => onLogKey(event, chat)}
        onPointerDown={() => {
          chat.isByPointer = true
        }}
        onFocusIn={({ target: element }) => {
          const id = idOf(element)
          if (id === undefined) return
          scroller.tabStop = id
          chat.active.value = id
        }}
        onFocusOut={({ relatedTarget }) => {
          if (!(relatedTarget instanceof Node && scroller.box?.contains(relatedTarget))) chat.active.value = undefined
        }}
        onPointerMove={({ target: element, pointerType, screenX, screenY }) => {
          if (pointerType !== 'mouse') return
          // A message that comes under a mouse at rest, by scrolling or growing, is not pointed at.
          const isMoved = screenX !== mouse.current?.screenX || screenY !== mouse.current.screenY
          mouse.current = { screenX, screenY }
          if (isMoved) chat.active.value = idOf(element) ?? chat.active.value
        }}
        onPointerLeave={({ pointerType }) => {
          if (pointerType === 'mouse') chat.active.value = idOf(document.activeElement)
        }}
        onClick={({ target: element }) => {
          // What is chosen there says itself what comes next.
          const isChoice = element instanceof Element && element.closest('[role=toolbar]')
          if (!isChoice) chat.active.value = idOf(element)
        }}
      >
        <Rows chat={chat} scroller={scroller} />
      </div>
      {!session.isAtEnd.value && <Pill chat={chat} scroller={scroller} />}
    </div>
  )
}

function Rows({ chat, scroller }: { chat: Chat; scroller: Scroller }) {
  const { log, revision, unread } = chat.session
  void revision.value
  const { start, end } = scroller.plan()
  useLayoutEffect(() => scroller.settle())

  const { entries, dropped } = log
  const shown = entries.slice(start - dropped, end - dropped)
  const isThere = shown.some(({ id }) => id === scroller.tabStop)
  const tabStop = isThere ? scroller.tabStop : shown.findLast(({ type }) => type === 'said')?.id
  const now = Date.now()
  return (
    <div class="rows">
      {start === dropped && <Beginning isEmpty={entries.length === 0} isCut={dropped > 0} />}
      {shown.map((entry, index) => {
        const before = entries[start - dropped + index - 1]
        const isUnread = entry.id === unread.value.line
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
            isActive={entry.id === chat.active.value}
            isSubject={entry.id === chat.subject.value}
            isTabStop={entry.id === tabStop}
          />
        )
      })}
    </div>
  )
}

function Pill({ chat, scroller }: { chat: Chat; scroller: Scroller }) {
  const { count } = chat.session.unread.value
  return (
    <button
      type="button"
      class={count > 0 ? 'pill new' : 'pill'}
      // It lies upon the log, and comes under the pointer of who scrolls.
      onWheel={scroller.onWheelAbove}
      onClick={() => {
        chat.jump.value = { to: 'end' }
        chat.write()
      }}
    >
      <Icon name="down" />
      {count > 0 ? newMessages(count) : <span class="unseen">Go to the newest message</span>}
    </button>
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
  return entry.type === 'said' && entry.original !== undefined ? log.find(entry.original) : undefined
}
