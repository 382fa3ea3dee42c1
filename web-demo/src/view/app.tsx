import { session } from '../state/app.ts'
import { ChatView } from './chat.tsx'
import { Join } from './join.tsx'

export function App() {
  const joined = session.value
  return joined ? <ChatView session={joined} /> : <Join />
}
