// What strangers wrote, cut into pieces that can be shown without harm. Nothing here makes HTML.

/** A piece of a text. A `mark` stands for a character that would change how others are shown. */
export type Piece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'link'; readonly text: string; readonly href: string }
  | { readonly type: 'mark'; readonly text: string; readonly title: string }

/** How much of a text is shown unasked. */
export const SHORT = { characters: 3000, lines: 24 }

/** How much more than that is still shown: a button in place of a line or two is no help. */
const SLACK = { characters: 500, lines: 4 }

const CONTROLS: Readonly<Record<number, string>> = {
  8234: 'LEFT-TO-RIGHT EMBEDDING',
  8235: 'RIGHT-TO-LEFT EMBEDDING',
  8236: 'POP DIRECTIONAL FORMATTING',
  8237: 'LEFT-TO-RIGHT OVERRIDE',
  8238: 'RIGHT-TO-LEFT OVERRIDE',
  8294: 'LEFT-TO-RIGHT ISOLATE',
  8295: 'RIGHT-TO-LEFT ISOLATE',
  8296: 'FIRST STRONG ISOLATE',
  8297: 'POP DIRECTIONAL ISOLATE',
}

const LINK = String.raw`(?<![\p{L}\p{N}])https?:\/\/[^\s\p{C}\p{Z}<>"'${'`'}{}|\\^，。；：！？、（）「」『』【】《》]+`
// Control characters, the directional ones among them, but for the tab and the line break.
const CONTROL = String.raw`[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]`
const SPECIAL = new RegExp(`(${LINK})|${CONTROL}`, 'giu')

/** Cuts a text into plain text, links, and marks for control characters. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let from = 0
  const plain = (to: number) => {
    if (to > from) found.push({ type: 'text', text: text.slice(from, to) })
  }
  for (const match of text.matchAll(SPECIAL)) {
    const piece = match[1] === undefined ? mark(match[0]) : link(match[1])
    if (!piece) continue
    plain(match.index)
    found.push(piece)
    from = match.index + (piece.type === 'link' ? piece.text.length : match[0].length)
  }
  plain(text.length)
  return found
}

function mark(character: string): Piece | undefined {
  const code = character.codePointAt(0) ?? 0
  // A line break of Windows.
  if (code === 0x0d) return { type: 'text', text: '' }
  const number = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  return { type: 'mark', text: number, title: `${number} ${CONTROLS[code] ?? 'CONTROL CHARACTER'}` }
}

function link(found: string): Piece | undefined {
  const text = trimmed(found)
  const href = safeUrl(text)
  return href === undefined ? undefined : { type: 'link', text, href }
}

/** Without the punctuation that belongs to the sentence around it. */
function trimmed(url: string): string {
  let end = url.length
  let open = 0
  for (const character of url) {
    if (character === '(') open += 1
    if (character === ')') open -= 1
  }
  for (; end > 0; end -= 1) {
    const last = url[end - 1] ?? ''
    if (last === ')' && open < 0) open += 1
    else if (!/[.,;:!?*_~\]…]/.test(last)) break
  }
  return url.slice(0, end)
}

/** The address if it is one of the web, and does not pretend to be another: `https://bank.example@evil.example`. */
export function safeUrl(address: string): string | undefined {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    return undefined
  }
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  return isWeb && !url.username && !url.password ? url.href : undefined
}

/** Without heaps of combining marks, which would paint over other lines. Four are enough for any language. */
export function calm(text: string): string {
  return text.replace(/(\p{M}{4})\p{M}+/gu, '$1')
}

/** Whether there is nothing in it that could be seen. */
export function isBlank(text: string): boolean {
  return !/[^\s\p{Cf}\p{M}\u115f\u1160\u2800\u3164\uffa0]/u.test(text)
}

/** The beginning of a text that is too long to be shown unasked; `undefined` if it is not. */
export function beginning(text: string): string | undefined {
  const characters = text.length > SHORT.characters + SLACK.characters
  const line = lineStart(text, SHORT.lines + SLACK.lines)
  if (!characters && line === undefined) return undefined
  const end = Math.min(SHORT.characters, lineStart(text, SHORT.lines) ?? Number.POSITIVE_INFINITY)
  return text.slice(0, whole(text, end)).trimEnd()
}

/** How much it is, for people: in lines, unless it is what is in them that makes it long. */
export function amount(text: string): string {
  const lines = text.trimEnd().split('\n').length
  const isWide = text.length > SHORT.characters + SLACK.characters && lines <= 100
  return isWide ? sizeOf(new Blob([text]).size) : `${lines.toLocaleString('en')} lines`
}

/** Where so many lines are over; `undefined` if there are not more than that. */
function lineStart(text: string, lines: number): number | undefined {
  let at = 0
  for (let line = 0; line < lines; line += 1) {
    const end = text.indexOf('\n', at)
    if (end < 0) return undefined
    at = end + 1
  }
  return at < text.length ? at : undefined
}

/** This place, or the one before it if it lies within a character. */
function whole(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at
}

/** Cuts a long text into parts, at the ends of lines where there are some, so that a browser can lay out each alone. */
export function parts(text: string, size = 4000, lines = 60): string[] {
  const found: string[] = []
  for (let from = 0; from < text.length; ) {
    let end = Math.min(from + size, text.length)
    const line = lineStart(text.slice(from, end), lines)
    if (line !== undefined) end = from + line
    else if (end < text.length) {
      const lastBreak = text.lastIndexOf('\n', end)
      end = lastBreak > from ? lastBreak + 1 : whole(text, end)
    }
    found.push(text.slice(from, end))
    from = end
  }
  return found
}

/** The first line, for a quote. */
export function firstLine(text: string, longest = 160): string {
  const start = calm(text.slice(0, longest * 2))
  const line = start.trimStart().split('\n', 1)[0] ?? ''
  const plain = line.replace(new RegExp(CONTROL, 'gu'), '')
  const end = whole(plain, Math.min(longest, plain.length))
  return plain.length > longest || text.trim().length > line.length ? `${plain.slice(0, end).trimEnd()}…` : plain
}

/** A number of bytes, for people. */
export function sizeOf(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  let size = bytes
  let unit = 0
  for (; size >= 1000 && unit < units.length - 1; unit += 1) size /= 1000
  const digits = unit > 0 && size < 10 ? 1 : 0
  return `${size.toFixed(digits)} ${bytes === 1 ? 'byte' : units[unit]}`
}
