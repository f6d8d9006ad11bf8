/**
 * The layout for a signed-in user: room list, conversation and members, side by side where there is space.
 */
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { TWO_PANES, useMedia } from '../components/use-media.ts'
import { NoRoom, RoomPane } from '../room/room-pane.tsx'
import type { Session } from '../session/session.ts'
import { Sidebar } from '../sidebar/sidebar.tsx'
import { ConnectionBanner } from './banners.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { usePage } from './page.ts'
import { hashOfRoom } from './route.ts'

export function Shell({ session }: { readonly session: Session }) {
  const page = usePage()
  const main = useRef<HTMLElement>(null)
  const room = page.room.value
  const isWide = useMedia(TWO_PANES)
  const hasNoRoute = page.hash.value === ''
  useEffect(() => {
    if (isWide && hasNoRoute) page.openFirst()
  }, [page, isWide, hasNoRoute])
  useFocusPane(main, room)
  return (
    <div class="shell" data-pane={room === undefined ? 'list' : 'room'}>
      <button type="button" class="skip-link" onClick={() => main.current?.focus()}>
        Skip to the conversation
      </button>
      <ConnectionBanner session={session} />
      <Sidebar session={session} />
      <main ref={main} class="main" tabIndex={-1} aria-label="Conversation">
        {room === undefined ? (
          <NoRoom />
        ) : (
          <ErrorBoundary key={room} around="pane">
            <RoomPane session={session} name={room} />
          </ErrorBoundary>
        )}
      </main>
    </div>
  )
}

/**
 * On narrow pages, moves the focus with the visible pane: into the room, and back to its link in the list.
 */
function useFocusPane(main: RefObject<HTMLElement | null>, room: string | undefined): void {
  const before = useRef(room)
  useEffect(() => {
    const last = before.current
    before.current = room
    if (last === room || document.activeElement !== document.body) return
    const link =
      last === undefined ? null : document.querySelector<HTMLElement>(`a[href="${hashOfRoom(last)}"]`)
    if (room === undefined) link?.focus()
    else main.current?.focus()
  }, [main, room])
}
