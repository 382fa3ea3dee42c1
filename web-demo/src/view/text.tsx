// Texts of strangers. They only ever become text nodes, and the addresses in them links to the web.

import { useEffect, useRef, useState } from 'preact/hooks'
import { amount, beginning, calm, isBlank, type Piece, parts, pieces } from '../model/text.ts'

/** What a message says. A long one is shown in part, until all of it is asked for. */
export function Text({ text, isEdited, tabIndex }: { text: string; isEdited: boolean; tabIndex: number }) {
  const [isOpen, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  // With the height of the text its place changes, and the place of the button below it: what was asked for is shown.
  useEffect(() => {
    if (!isOpen) return
    const element = button.current
    element?.previousElementSibling?.scrollIntoView({ block: 'nearest' })
    return () => element?.scrollIntoView({ block: 'nearest' })
  }, [isOpen])
  const start = beginning(text)
  const edited = isEdited && <span class="edited"> edited</span>
  if (isBlank(text)) return <p class="text blank">(blank){edited}</p>
  if (start === undefined)
    return (
      <p class="text">
        {shown(text, tabIndex)}
        {edited}
      </p>
    )
  return (
    <>
      {isOpen ? <Whole text={text} /> : <p class="text cut">{shown(start, tabIndex)}</p>}
      <button
        ref={button}
        type="button"
        class="quiet"
        tabIndex={tabIndex}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? 'Show less' : `Show all (${amount(text)})`}
      </button>
      {edited}
    </>
  )
}

/** All of a long text, in a frame of its own. The browser lays out the parts that are looked at. */
function Whole({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: so that it can be scrolled by keyboard.
    // biome-ignore lint/a11y/useSemanticElements: it has no fields.
    <div class="whole" role="group" aria-label="The whole message" tabIndex={0}>
      {parts(text).map((part, index) => (
        <div class="part" key={index}>
          {calm(part)}
        </div>
      ))}
    </div>
  )
}

function shown(text: string, tabIndex: number) {
  return pieces(calm(text)).map((piece, index) => <Shown key={index} piece={piece} tabIndex={tabIndex} />)
}

function Shown({ piece, tabIndex }: { piece: Piece; tabIndex: number }) {
  switch (piece.type) {
    case 'text':
      return <>{piece.text}</>
    case 'link':
      return (
        <a href={piece.href} target="_blank" rel="noopener noreferrer" tabIndex={tabIndex}>
          {piece.text}
        </a>
      )
    case 'mark':
      return (
        <span class="control" title={piece.title}>
          {piece.text}
        </span>
      )
  }
}
