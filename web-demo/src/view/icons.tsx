// Icons, drawn in the colour of the text around them. They say nothing to who cannot see them.

const PATHS = {
  reply: 'M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1',
  edit: 'M14.5 5.5l4 4M4 20l1-4L16 5a2 2 0 0 1 3 0v0a2 2 0 0 1 0 3L8 19z',
  trash: 'M4 7h16M10 11v6M14 11v6M6 7l1 12a2 2 0 0 0 2 2h6a2 2 0 0 0 2-2l1-12M9 7V4h6v3',
  close: 'M6 6l12 12M18 6 6 18',
  send: 'M12 20V5M5.5 11.5 12 5l6.5 6.5',
  down: 'M12 5v14M5.5 12.5 12 19l6.5-6.5',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7.5V12l3 2',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2 12.5l4.5 4.5L16 7.5M11.5 16.5l.5.5L21.5 7.5',
  warning: 'M12 4 2.5 20h19zM12 10v4.5M12 17.3v.2',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.5 3-6 6.5-6s6.5 2.5 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.5c2.1.8 3.5 2.8 3.5 5.5',
  keyboard: 'M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M7 14h10M18.5 10h.01',
  leave: 'M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h10M16.5 8.5 20 12l-3.5 3.5',
  file: 'M14 3H6v18h12V7zM14 3v4h4',
  gap: 'M4 12h3M10.5 12h3M17 12h3',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}

/** Two voices that meet. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path class="mark-one" d="M4 13a8 8 0 0 1 8-8h4a8 8 0 0 1 0 16h-6l-4.5 3.5V18A8 8 0 0 1 4 13z" />
      <path class="mark-two" d="M28 19a8 8 0 0 0-8-8h-3a8 8 0 0 0 0 16h5.5l4 3v-6A8 8 0 0 0 28 19z" />
    </svg>
  )
}
