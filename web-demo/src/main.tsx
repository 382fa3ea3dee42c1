import { render } from 'preact'
import { begin } from './state/app.ts'
import './style/theme.css'
import './style/base.css'
import './style/door.css'
import './style/chat.css'
import './style/log.css'
import './style/between.css'
import './style/parts.css'
import { App } from './view/app.tsx'

begin()
const place = document.getElementById('app')
if (place) {
  place.replaceChildren()
  render(<App />, place)
}
