// A colour for each source: always the same for the same name, and always legible.

/** Red, green and blue, from 0 to 1. */
type Rgb = readonly [number, number, number]

/** As `#rrggbb`, on light and on dark ground. */
export interface Colour {
  readonly light: string
  readonly dark: string
}

/** What the colours are seen on; the same as in style/theme.css, which a test compares. */
export const SURFACES = {
  light: ['#ffffff', '#f6f7f6', '#eff2f0', '#fdf3d7'],
  dark: ['#15181a', '#1b1f21', '#23282a', '#3a3013'],
} as const

/** Of WCAG 2, level AA, for text. */
export const ENOUGH = 4.5

/** In which steps the lightness is changed until the contrast is enough. */
const STEP = 0.01

const cache = new Map<string, Colour>()

/** The colour of a source of this name. */
export function colourOf(name: string): Colour {
  const known = cache.get(name)
  if (known) return known
  const hash = hashOf(name)
  const hue = hash % 360
  const isStrong = ((hash >>> 9) & 1) === 1
  const colour = {
    light: legible(0.62, isStrong ? 0.13 : 0.08, hue, SURFACES.light, -STEP),
    dark: legible(0.74, isStrong ? 0.12 : 0.08, hue, SURFACES.dark, STEP),
  }
  if (cache.size > 2000) cache.clear()
  cache.set(name, colour)
  return colour
}

/** Where the hash begins: so that the names that bridges usually have get colours as far apart as can be. */
const BEGINNING = 1_572_590

/** FNV-1a over the name's characters, and then stirred so that similar names get colours far apart. */
function hashOf(name: string): number {
  let hash = BEGINNING
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  hash = Math.imul(hash ^ (hash >>> 15), 0x45d9f3b)
  return (hash ^ (hash >>> 16)) >>> 0
}

function legible(lightness: number, chroma: number, hue: number, surfaces: readonly string[], step: number): string {
  for (let at = lightness; at > 0 && at < 1; at += step) {
    const colour = hex(inGamut(at, chroma, hue))
    if (surfaces.every((surface) => contrast(colour, surface) >= ENOUGH)) return colour
  }
  return step < 0 ? '#000000' : '#ffffff'
}

/** The colour of OKLCH, with as much chroma as a screen can show. */
function inGamut(lightness: number, chroma: number, hue: number): Rgb {
  for (let at = chroma; at > 0; at -= 0.01) {
    const rgb = fromOklch(lightness, at, hue)
    if (rgb.every((channel) => channel >= 0 && channel <= 1)) return rgb
  }
  return fromOklch(lightness, 0, hue).map((channel) => Math.min(1, Math.max(0, channel))) as unknown as Rgb
}

/** By https://bottosson.github.io/posts/oklab/. */
function fromOklch(lightness: number, chroma: number, hue: number): Rgb {
  const angle = (hue * Math.PI) / 180
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)]
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  const gamma = (linear: number) => (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055)
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}

const hex = (rgb: Rgb): string =>
  `#${rgb
    .map((channel) =>
      Math.round(channel * 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`

/** The ratio of contrast of two colours, by WCAG 2: from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const channel = (from: number) => {
    const value = Number.parseInt(colour.slice(from, from + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}
