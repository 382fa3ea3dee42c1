// Names that strangers chose, made fit to be shown; and friendly ones for who has none yet.

import { calm, isBlank } from './text.ts'

/** The longest name that is shown in full, in characters. */
const LONGEST = 60

const cache = new Map<string, string>()

/** A name as it is shown: one line, with nothing invisible in it, and not too long. */
export function shownName(name: string): string {
  const known = cache.get(name)
  if (known !== undefined) return known
  // However long it is, what is looked at is short.
  const visible = calm(name.slice(0, 1000))
    .replace(/[\u00ad\u200b\u2060\ufeff\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  const characters = Array.from(visible)
  const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join('')}…` : visible
  const shown = isBlank(cut) ? '(no name)' : cut
  if (cache.size > 2000) cache.clear()
  // Names that long are kept by nobody.
  if (name.length <= 1000) cache.set(name, shown)
  return shown
}

/** One or two characters that stand for a name in its badge. */
export function initials(name: string): string {
  const words = shownName(name).match(/[\p{L}\p{N}]+/gu) ?? []
  const [first, second] = words
  if (!first) return '?'
  const start = Array.from(first)
  // A character of Chinese, Japanese or Korean is wide, and says enough.
  if (/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u.test(start[0] ?? '')) return start[0] ?? '?'
  const letters = second ? [start[0], Array.from(second)[0]] : start.slice(0, 2)
  return letters.join('').toLocaleUpperCase('en').slice(0, 3)
}

const HOW = [
  'Amber',
  'Brisk',
  'Calm',
  'Clever',
  'Cosy',
  'Gentle',
  'Jolly',
  'Keen',
  'Lucky',
  'Mellow',
  'Merry',
  'Nimble',
  'Quiet',
  'Sunny',
  'Swift',
  'Witty',
]
const WHO = [
  'Badger',
  'Beaver',
  'Crane',
  'Dolphin',
  'Falcon',
  'Fox',
  'Hare',
  'Heron',
  'Lark',
  'Lynx',
  'Marten',
  'Otter',
  'Owl',
  'Panda',
  'Robin',
  'Wren',
]

/** A friendly name, and a number so that two are hardly ever the same. `random` is from 0 to below 1. */
export function friendlyName(random: () => number): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? ''
  return `${pick(HOW)} ${pick(WHO)} ${10 + Math.floor(random() * 90)}`
}
