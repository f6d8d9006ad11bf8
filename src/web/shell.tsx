/** The house: list, conversation and people side by side, as many of them as there is room for. */
import { useEffect, useRef } from 'preact/hooks'
import { ConnectionBanner } from './banners.tsx'
import { usePage } from './page.ts'
import { NoRoom, RoomPane } from './room-pane.tsx'
import type { Session } from './session.ts'
import { Sidebar } from './sidebar.tsx'
import { TWO_PANES, useMedia } from './use-media.ts'

export function Shell({ session }: { readonly session: Session }) {
  const page = usePage()
  const main = useRef<HTMLElement>(null)
  const room = page.room.value
  const isWide = useMedia(TWO_PANES)
  const isUnsaid = page.hash.value === ''
  useEffect(() => {
    if (isWide && isUnsaid) page.openFirst()
  }, [page, isWide, isUnsaid])
  return (
    <div class="shell" data-pane={room === undefined ? 'list' : 'room'}>
      <button type="button" class="skip-link" onClick={() => main.current?.focus()}>
        Skip to the conversation
      </button>
      <ConnectionBanner session={session} />
      <Sidebar session={session} />
      <main ref={main} class="main" tabIndex={-1} aria-label="Conversation">
        {room === undefined ? <NoRoom /> : <RoomPane key={room} session={session} name={room} />}
      </main>
    </div>
  )
}
