// One entry of the log, with the lines that are drawn before it.

import { Component } from 'preact'
import { authorOf, type Entry, type Hole, isAnswerable, isChangeable, type Said } from '../model/entry.ts'
import { shownName } from '../model/names.ts'
import { firstLine } from '../model/text.ts'
import { machine } from '../model/time.ts'
import type { Chat } from '../state/chat.ts'
import { times } from '../state/times.ts'
import { File } from './attachment.tsx'
import { Delivery } from './delivery.tsx'
import { Icon } from './icons.tsx'
import { Badge, Name, SourceName } from './source.tsx'
import { Text } from './text.tsx'

export interface RowProps {
  readonly chat: Chat
  readonly entry: Entry
  /** The day that begins with it. */
  readonly day: string | undefined
  /** Whether it is the first that was not read. */
  readonly isUnread: boolean
  /** Whether it has a head of its own. */
  readonly hasHead: boolean
  /** What it answers, if the page has that. */
  readonly original: Said | undefined
  /** Whether its actions are shown. */
  readonly isActive: boolean
  /** Whether it is being answered or changed. */
  readonly isSubject: boolean
  /** Whether the tab key reaches it. */
  readonly isTabStop: boolean
}

/** Drawn again only if something of it has changed. */
export class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return (Object.keys(next) as (keyof RowProps)[]).some((key) => next[key] !== this.props[key])
  }

  override render({ entry, day, isUnread, ...rest }: RowProps) {
    return (
      <>
        {day !== undefined && <Line kind="day" words={day} />}
        {isUnread && <Line kind="unread" words="New messages" />}
        {entry.type === 'hole' ? <Gap hole={entry} /> : <Message said={entry} {...rest} />}
      </>
    )
  }
}

function Line({ kind, words }: { kind: string; words: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: an hr can have no words.
    <div class={`line ${kind}`} role="separator" aria-label={words}>
      <span>{words}</span>
    </div>
  )
}

function Gap({ hole: { cause, missed, time } }: { hole: Hole }) {
  const count = missed === undefined ? 'messages' : `${missed} ${missed === 1 ? 'message' : 'messages'}`
  const why = cause === 'new-log' ? 'The router has begun anew. ' : ''
  return (
    <div class="gap" role="note">
      <Icon name="gap" />
      <span>
        {why}You may have missed {count} here
      </span>{' '}
      <Time time={time} />
    </div>
  )
}

function Time({ time, isShort = false }: { time: number; isShort?: boolean }) {
  return (
    <time dateTime={machine(time)} title={times.exact(time)}>
      {isShort ? times.short(time) : times.clock(time)}
    </time>
  )
}

type MessageProps = Omit<RowProps, 'entry' | 'day' | 'isUnread'> & { readonly said: Said }

function Message({ said, chat, hasHead, original, isActive, isSubject, isTabStop }: MessageProps) {
  const { id, source, sender, time, event, isMine } = said
  const author = authorOf(said)
  const label = [shownName(author), sender && shownName(source), times.clock(time)].filter(Boolean).join(', ')
  // The log is one stop for the tab key. What is in a message is reached once one is at the message.
  const tabIndex = isActive ? 0 : -1
  const kind = event === undefined ? 'said' : 'said event'
  return (
    <article
      class={`${kind}${hasHead ? ' head' : ''}${isActive ? ' active' : ''}`}
      aria-label={label}
      aria-current={isSubject || undefined}
      data-id={id}
      data-seq={said.seq}
      tabIndex={isTabStop ? 0 : -1}
    >
      <div class="margin">{hasHead ? <Badge source={source} /> : <Time time={time} isShort />}</div>
      <div class="content">
        {hasHead && (
          <header>
            {sender ? <Name name={sender.name} /> : <SourceName source={source} />}
            {isMine && <span class="tag">you</span>}
            {sender && <SourceName source={source} />}
            <Time time={time} />
          </header>
        )}
        {said.replyTo !== undefined && !said.isDeleted && <Quote original={original} chat={chat} tabIndex={tabIndex} />}
        <Content said={said} tabIndex={tabIndex} />
        <Delivery said={said} chat={chat} tabIndex={tabIndex} />
      </div>
      {isActive && <Actions said={said} chat={chat} />}
    </article>
  )
}

function Content({ said, tabIndex }: { said: Said; tabIndex: number }) {
  const { content, attachments, change } = said
  if (said.isDeleted) return <p class="text tombstone">This message was deleted.</p>
  const isWaiting = change !== undefined && change.failed === undefined
  const text = isWaiting && change.content !== undefined ? change.content : content
  return (
    <div class={isWaiting ? 'body waiting' : 'body'}>
      {(text !== '' || attachments.length === 0) && <Text text={text} isEdited={said.isEdited} tabIndex={tabIndex} />}
      {attachments.map((attachment, index) => (
        <File key={index} attachment={attachment} tabIndex={tabIndex} />
      ))}
    </div>
  )
}

function Quote({ original, chat, tabIndex }: { original: Said | undefined; chat: Chat; tabIndex: number }) {
  if (!original) return <p class="quote">answers a message that is not here any more</p>
  const { isDeleted, content, attachments } = original
  const line = isDeleted ? 'a deleted message' : firstLine(content) || attachments[0]?.name || 'a file'
  const author = shownName(authorOf(original))
  return (
    <button
      type="button"
      class="quote"
      tabIndex={tabIndex}
      onClick={() => {
        chat.jump.value = { to: 'message', id: original.id }
      }}
    >
      <Icon name="reply" />
      <span class="unseen">Go to what this answers: </span>
      <bdi class="name">{author}</bdi> <bdi class="quoted">{line}</bdi>
    </button>
  )
}

function Actions({ said, chat }: { said: Said; chat: Chat }) {
  if (!isAnswerable(said)) return null
  return (
    // It comes with the focus, and is no news.
    <div class="actions" role="toolbar" aria-label="Actions for this message" aria-live="off">
      <button type="button" aria-keyshortcuts="R" title="Reply (R)" onClick={() => chat.reply(said)}>
        <Icon name="reply" />
        <span>Reply</span>
      </button>
      {isChangeable(said) && (
        <>
          <button type="button" aria-keyshortcuts="E" title="Edit (E)" onClick={() => chat.edit(said)}>
            <Icon name="edit" />
            <span>Edit</span>
          </button>
          <button
            type="button"
            class="danger"
            aria-keyshortcuts="Delete"
            title="Delete (Del)"
            onClick={() => chat.askToDelete(said)}
          >
            <Icon name="trash" />
            <span>Delete</span>
          </button>
        </>
      )}
    </div>
  )
}
