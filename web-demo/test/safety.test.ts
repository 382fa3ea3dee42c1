import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'

const sources = (readdirSync('src', { recursive: true }) as string[])
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(`src/${name}`, 'utf8') }))

test('nothing in the page makes HTML or code of a text', () => {
  assert.ok(sources.length > 20)
  for (const { name, text } of sources) {
    const found =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerously|DOMParser|\beval\(|new Function|srcdoc/.exec(
        text,
      )
    assert.equal(found?.[0], undefined, name)
  }
})

test('every link leads to a new page that knows nothing of this one', () => {
  const links = sources.flatMap(({ text }) => text.match(/<a\b[^>]*>/g) ?? [])
  assert.ok(links.length > 0)
  for (const link of links) {
    assert.match(link, /target="_blank"/)
    assert.match(link, /rel="noopener noreferrer"/)
  }
})

test('imports only go down', () => {
  const floors = ['view', 'state', 'model']
  for (const { name, text } of sources) {
    const floor = floors.indexOf(name.split('/')[0] ?? '')
    for (const [, imported = ''] of text.matchAll(/from '\.\.\/(\w+)\//g)) {
      assert.ok(floors.indexOf(imported) > floor, `${name} imports ${imported}`)
    }
  }
})
