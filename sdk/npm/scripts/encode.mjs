// The wasm as a text that stands in a JavaScript file, in which it takes 3 % more than it has by brotli (base64:
// 30 %). Each byte is a character: the most frequent ones are ASCII, and the others letters of two bytes, so that
// whatever copies, minifies or normalises texts leaves it alone.

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index))

/** In the order of their use. Without what would be escaped in a string, or end a comment or a script. */
const CHARACTERS = [...range(0x20, 0x7e).filter((it) => !'\\\'"`$<>/*'.includes(it)), ...range(0xc0, 0x24f)].slice(0, 256)

/** The characters in the order of the bytes that they stand for, then those of the bytes. */
export function encode (bytes) {
  const uses = new Uint32Array(256)
  for (const byte of bytes) uses[byte] += 1
  const alphabet = []
  const byUse = Array.from(uses.keys()).sort((a, b) => uses[b] - uses[a] || a - b)
  byUse.forEach((byte, place) => { alphabet[byte] = CHARACTERS[place] })
  return alphabet.join('') + Array.from(bytes, (byte) => alphabet[byte]).join('')
}
