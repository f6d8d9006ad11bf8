/** Ways to invite others: a card for a user who is alone, and the content of the dialog. */
import { useState } from 'preact/hooks'
import { usePage } from '../app/page.ts'
import { CloseIcon, TerminalIcon, WindowIcon } from '../components/icons.tsx'
import { linkTo } from '../room/room-header.tsx'
import type { Session } from '../session/session.ts'
import { CopyButton } from './copy-button.tsx'

const STORAGE_KEY = 'rookery:invited'
const FIRST_ROOM = 'lobby'

/** Shown until somebody else was in one of the user's rooms, or until it is closed. */
export function InviteCard({ session }: { readonly session: Session }) {
  const { storage } = usePage()
  const [isClosed, setClosed] = useState(() => storage.getItem(STORAGE_KEY) === 'yes')
  const { isLoaded, present, hasCompany } = session.rooms
  const isAlone = isLoaded.value && present.value.size === 1 && !hasCompany.value
  if (isClosed || !isAlone) return null
  const close = () => {
    storage.setItem(STORAGE_KEY, 'yes')
    setClosed(true)
  }
  return (
    <section class="invite-card" aria-label="Invite people">
      <button
        type="button"
        class="icon-button icon-button-small invite-close"
        aria-label="Close"
        onClick={close}
      >
        <CloseIcon size={16} />
      </button>
      <h2 class="invite-title">You’re the first one here</h2>
      <p class="invite-text">Share a link, or try it in a second window.</p>
      <InviteActions withLink />
    </section>
  )
}

/** Used by the card and by the dialog. The dialog shows the link itself. */
export function InviteActions({ withLink = false }: { readonly withLink?: boolean }) {
  const page = usePage()
  const room = page.room.value
  const invited = room === undefined || room.startsWith('dm:') ? FIRST_ROOM : room
  return (
    <div class="invite-ways">
      {withLink && <CopyButton text={() => linkTo(invited)}>Copy the link to #{invited}</CopyButton>}
      <a class="button button-small" href={secondWindow(invited)} target="_blank" rel="noopener">
        <WindowIcon size={16} />
        Open a second window
      </a>
      <button
        type="button"
        class="button button-small"
        onClick={() => (page.dialog.value = { kind: 'connect' })}
      >
        <TerminalIcon size={16} />
        Connect your own client
      </button>
    </div>
  )
}

/** A link that opens the page without the stored identity: its user is somebody else. */
function secondWindow(room: string): string {
  const link = new URL(linkTo(room))
  link.search = '?another'
  return link.href
}
