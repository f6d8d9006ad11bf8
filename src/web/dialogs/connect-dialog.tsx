/** Shows how to connect a program: code to copy. */
import { useState } from 'preact/hooks'
import { pageBase, serverPlace } from '../app/base.ts'
import { usePage } from '../app/page.ts'
import { Dialog } from '../components/dialog.tsx'
import type { Session } from '../session/session.ts'
import { clientCode, stockCode } from './connect-code.ts'
import { CopyButton } from './copy-button.tsx'

interface ConnectDialogProps {
  readonly session: Session
  readonly close: () => void
}

const WAYS = [
  { id: 'client', title: 'rookery/client', code: clientCode },
  { id: 'stock', title: 'socket.io-client', code: stockCode },
] as const

export function ConnectDialog({ session, close }: ConnectDialogProps) {
  const page = usePage()
  const [chosen, setChosen] = useState<(typeof WAYS)[number]>(WAYS[0])
  const room = page.room.value ?? 'lobby'
  const code = chosen.code({
    base: pageBase(),
    room: room.startsWith('dm:') ? 'lobby' : room,
    withToken: session.identity.kind === 'token',
    place: serverPlace(),
  })
  return (
    <Dialog title="Connect your own client" onClose={close}>
      <p>
        This server speaks <a href="https://socket.io">Socket.IO</a> 4: any standard client, in any language,
        can connect. The client package adds what a bad network takes away: message order, catching up,
        retries.
      </p>
      <div class="choice-line">
        <div class="choice" role="group" aria-label="Which client">
          {WAYS.map((way) => (
            <button
              key={way.id}
              type="button"
              class="choice-button"
              aria-pressed={way === chosen}
              onClick={() => setChosen(way)}
            >
              {way.title}
            </button>
          ))}
        </div>
        <CopyButton text={() => code}>Copy</CopyButton>
      </div>
      <div class="code">
        <pre class="code-text" tabIndex={0} aria-label="Code">
          <code>{code}</code>
        </pre>
      </div>
    </Dialog>
  )
}
