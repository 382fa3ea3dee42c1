import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { colourOf, contrast, ENOUGH, SURFACES } from '../src/model/colour.ts'

const theme = readFileSync('src/style/theme.css', 'utf8')

/** What the style sheet sets in light and in dark. */
function colours(scheme: 'light' | 'dark'): Map<string, string> {
  const [light = '', dark = ''] = theme.split('@media (prefers-color-scheme: dark)')
  const rules = scheme === 'light' ? light : dark
  return new Map(
    Array.from(rules.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g), ([, name = '', value = '']) => [name, value]),
  )
}

/** The hue of a colour, by HSL. */
function hueOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((from) => Number.parseInt(colour.slice(from, from + 2), 16))
  const most = Math.max(red, green, blue)
  const range = most - Math.min(red, green, blue)
  if (most === red) return (60 * ((green - blue) / range) + 360) % 360
  return most === green ? 60 * ((blue - red) / range) + 120 : 60 * ((red - green) / range) + 240
}

/** Names as they come: words of chat networks, numbers, other scripts, and any. */
function names(): string[] {
  const words = ['irc', 'discord', 'minecraft', 'qq', 'matrix', 'telegram', 'Discord', 'web', '聊天', 'чат', '🎮', '']
  const numbered = words.flatMap((word) => Array.from({ length: 300 }, (_, index) => `${word}-${index}`))
  const any = Array.from({ length: 3000 }, (_, index) =>
    String.fromCodePoint(32 + ((index * 7919) % 50_000)).repeat(1 + (index % 9)),
  )
  return [...words, ...numbered, ...any]
}

test('contrast is that of WCAG', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21)
  assert.equal(contrast('#ffffff', '#ffffff'), 1)
  assert.equal(contrast('#777777', '#ffffff').toFixed(2), '4.48')
  assert.equal(contrast('#ffffff', '#777777').toFixed(2), '4.48')
})

test('the colour of every source is legible on every surface, in light and dark', () => {
  for (const name of names()) {
    const colour = colourOf(name)
    for (const scheme of ['light', 'dark'] as const) {
      for (const surface of SURFACES[scheme]) {
        const ratio = contrast(colour[scheme], surface)
        assert.ok(ratio >= 4.5, `${JSON.stringify(name)}: ${colour[scheme]} on ${surface} is ${ratio}`)
      }
    }
  }
})

test('a source has the same colour in every visit', () => {
  assert.deepEqual(colourOf('irc'), { light: '#82608d', dark: '#c09bcc' })
  assert.deepEqual(colourOf('minecraft'), { light: '#387b2e', dark: '#7fbe75' })
})

test('sources are told apart', () => {
  const usual = ['irc', 'discord', 'minecraft', 'qq', 'matrix', 'telegram', 'slack', 'web']
  const hues = usual.map((name) => hueOf(colourOf(name).light)).toSorted((a, b) => a - b)
  const distances = hues.map((hue, index) => (hue - (hues.at(index - 1) ?? 0) + 360) % 360)
  assert.ok(Math.min(...distances) > 15, `${distances}`)
  const many = names()
  const distinct = new Set(many.map((name) => colourOf(name).light))
  assert.ok(distinct.size > 300, `${distinct.size} colours for ${many.length} names`)
})

test('the surfaces that colours are made for are those of the style sheet', () => {
  for (const scheme of ['light', 'dark'] as const) {
    const all = colours(scheme)
    const surfaces = ['surface', 'ground', 'hover', 'notice'].map((name) => all.get(name))
    assert.deepEqual(surfaces, [...SURFACES[scheme]])
  }
})

test('every other pair of colours is legible, too', () => {
  const onSurfaces = ['ink', 'soft', 'accent', 'danger', 'good', 'busy', 'bad']
  for (const scheme of ['light', 'dark'] as const) {
    const all = colours(scheme)
    const pairs = [
      ...onSurfaces.flatMap((name) => ['surface', 'ground', 'hover'].map((ground) => [name, ground])),
      ['notice-ink', 'notice'],
      ['on-accent', 'accent'],
      ['on-danger', 'danger'],
    ] as [string, string][]
    for (const [name, ground] of pairs) {
      const ratio = contrast(all.get(name) ?? '', all.get(ground) ?? '')
      assert.ok(ratio >= ENOUGH, `${scheme}: ${name} on ${ground} is ${ratio}`)
    }
    // What is no text, such as the frame of a field.
    for (const ground of ['surface', 'ground']) assert.ok(contrast(all.get('edge') ?? '', all.get(ground) ?? '') >= 3)
  }
})
