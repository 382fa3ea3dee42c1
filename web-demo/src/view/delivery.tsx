// What became of an own message: with the router, and on the other platforms.

import type { ComponentChildren } from 'preact'
import type { Outcome, Said } from '../model/entry.ts'
import { shownName } from '../model/names.ts'
import { firstLine } from '../model/text.ts'
import type { Chat } from '../state/chat.ts'
import { Icon, type IconName } from './icons.tsx'

interface DeliveryProps {
  readonly said: Said
  readonly chat: Chat
  readonly tabIndex: number
}

export function Delivery({ said, chat, tabIndex }: DeliveryProps) {
  const { sent, change, outcomes } = said
  const bad = outcomes.filter(({ status }) => status === 'failed')
  return (
    <>
      <Sign said={said} />
      {sent?.type === 'failed' && (
        <div class="trouble">
          <Why>
            {sent.maybe ? 'Perhaps not sent.' : 'Not sent.'} {sent.why}
          </Why>
          <button type="button" class="quiet" tabIndex={tabIndex} onClick={() => chat.session.retry(said.id)}>
            {sent.maybe ? 'Send again' : 'Retry'}
          </button>
          <button type="button" class="quiet" tabIndex={tabIndex} onClick={() => chat.takeBack(said.id)}>
            Take back
          </button>
        </div>
      )}
      {change?.failed !== undefined && <ChangeTrouble said={said} chat={chat} tabIndex={tabIndex} />}
      {bad.map((outcome) => (
        <Failed key={outcome.source} outcome={outcome} />
      ))}
    </>
  )
}

/** A small sign beside the text, and its meaning in words. */
function Sign({ said: { sent, change, outcomes, isDeleted } }: { said: Said }) {
  const good = outcomes.filter(({ status }) => status === 'delivered').map(({ source }) => shownName(source))
  if (isDeleted) return null
  if (sent?.type === 'pending') return <Meaning icon="clock" words="Sending" />
  if (change && change.failed === undefined) {
    return <Meaning icon="clock" words={change.content === undefined ? 'Deleting' : 'Saving the change'} />
  }
  if (good.length > 0) return <Meaning icon="checks" words={`Delivered to ${good.join(', ')}`} />
  return sent?.type === 'sent' ? <Meaning icon="check" words="Sent" /> : null
}

function Meaning({ icon, words }: { icon: IconName; words: string }) {
  return (
    <span class={`sign ${icon}`} title={words}>
      <Icon name={icon} />
      <span class="unseen">{words}</span>
    </span>
  )
}

function Why({ children }: { children: ComponentChildren }) {
  return (
    <p class="why">
      <Icon name="warning" />
      <span>{children}</span>
    </p>
  )
}

function Failed({ outcome: { source, reason } }: { outcome: Outcome }) {
  return (
    <div class="trouble">
      <Why>
        Not delivered to <bdi>{shownName(source)}</bdi>
        {reason ? ': ' : '.'}
        {reason && <bdi>{firstLine(reason, 300)}</bdi>}
      </Why>
    </div>
  )
}

function ChangeTrouble({ said: { id, change }, chat, tabIndex }: DeliveryProps) {
  if (!change) return null
  const { content, failed } = change
  return (
    <div class="trouble">
      <Why>
        {content === undefined ? 'Not deleted.' : 'The change was not saved.'} {failed}
        {content !== undefined && <q class="unsaved">{content}</q>}
      </Why>
      <button type="button" class="quiet" tabIndex={tabIndex} onClick={() => chat.session.change(id, content)}>
        Retry
      </button>
      <button type="button" class="quiet" tabIndex={tabIndex} onClick={() => chat.session.forgetChange(id)}>
        Leave it
      </button>
    </div>
  )
}
