// The icon in the tab. It is the page's own picture, with a dot on it when there is something unread.

const DOT = '<circle cx="25" cy="7" r="7" fill="#d9402b" stroke="#fff" stroke-width="1.5"/>'

let plain: string | undefined
let dotted: Promise<string> | undefined
let isDotted = false

export function showUnread(isUnread: boolean): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  if (!link || isUnread === isDotted) return
  plain ??= link.href
  isDotted = isUnread
  if (!isUnread) {
    link.href = plain
    return
  }
  dotted ??= withDot(plain)
  dotted.then(
    (address) => {
      if (isDotted) link.href = address
    },
    () => {
      // The router is away: the title says it alone, and the next time is another try.
      dotted = undefined
    },
  )
}

async function withDot(icon: string): Promise<string> {
  const answer = await fetch(icon)
  const picture = (await answer.text()).replace('</svg>', `${DOT}</svg>`)
  return `data:image/svg+xml,${encodeURIComponent(picture)}`
}
