// How a source looks: its badge, and its name in its colour.

import { colourOf } from '../model/colour.ts'
import { initials, shownName } from '../model/names.ts'

/** As an object it is set property by property, which the page's policy allows. */
function paint(source: string): Record<string, string> {
  const { light, dark } = colourOf(source)
  return { '--source-light': light, '--source-dark': dark }
}

/** The sign of a source. Its name stands beside it. */
export function Badge({ source }: { source: string }) {
  return (
    <span class="badge" style={paint(source)} aria-hidden="true">
      {initials(source)}
    </span>
  )
}

/** The name of a source, in its colour. */
export function SourceName({ source }: { source: string }) {
  return (
    <bdi class="source" style={paint(source)}>
      {shownName(source)}
    </bdi>
  )
}

/** A person's name. */
export function Name({ name }: { name: string }) {
  return <bdi class="name">{shownName(name)}</bdi>
}
