/** The header of an open room: its title, its members and its menu. */
import type { ChatRoom, ConnectionState, RoomState } from '../../client/index.ts'
import { numberText } from '../app/locale.ts'
import { usePage } from '../app/page.ts'
import { hashOfRoom } from '../app/route.ts'
import { Avatar } from '../components/avatar.tsx'
import { copyText } from '../components/clipboard.ts'
import {
  BackIcon,
  HashIcon,
  LeaveIcon,
  LinkIcon,
  MoreIcon,
  PeopleIcon,
  PersonIcon,
} from '../components/icons.tsx'
import { Menu, MenuItem } from '../components/menu.tsx'
import { ShortId, useShortIds } from '../conversation/short-ids.tsx'
import { useRoomValue } from '../conversation/use-room-value.ts'
import type { Session } from '../session/session.ts'
import { othersOf, type RoomListItem } from '../sidebar/room-list-model.ts'
import type { MembersPanel } from './use-members-panel.ts'

const STATE = ['state'] as const

interface RoomHeaderProps {
  readonly session: Session
  readonly room: ChatRoom
  readonly title: string
  readonly item: RoomListItem | undefined
  readonly membersPanel: MembersPanel
}

export function RoomHeader({ session, room, title, item, membersPanel }: RoomHeaderProps) {
  const page = usePage()
  const state = useRoomValue(room, STATE, (known) => known.state)
  const { count } = session.rooms.membersOf(room)
  const other = item?.other
  const items = session.rooms.items.value
  const shortId = useShortIds(() => othersOf(items), [items]).get(other?.id ?? '')
  return (
    <header class="room-header">
      <button
        type="button"
        class="icon-button room-back"
        aria-label="Back to your rooms"
        onClick={() => page.showList()}
      >
        <BackIcon />
      </button>
      {other === undefined ? (
        <span class="room-mark">
          <HashIcon />
        </span>
      ) : (
        <Avatar user={other} />
      )}
      <div class="room-names">
        <h2 id="room-title" class="room-title clipped">
          {other === undefined ? <span class="visually-hidden">#</span> : null}
          <bdi>{title.replace(/^#/, '')}</bdi>
          {shortId !== undefined && (
            <>
              {' '}
              <ShortId id={shortId} />
            </>
          )}
        </h2>
        <p class="room-about clipped">
          {aboutText(state, { item, count, connection: session.shownState.value })}
        </p>
      </div>
      <div class="room-actions">
        {membersPanel.isOffered && (
          <button
            type="button"
            class="button button-quiet button-small people-button"
            aria-label={`People in this room: ${count}`}
            aria-expanded={membersPanel.isInline || membersPanel.isSheetOpen}
            onClick={membersPanel.toggle}
          >
            <PeopleIcon />
            <span aria-hidden="true">{count}</span>
          </button>
        )}
        <RoomMenu room={room.name} title={title} />
      </div>
    </header>
  )
}

function RoomMenu({ room, title }: { readonly room: string; readonly title: string }) {
  return (
    <Menu label={`More for ${title}`} class="icon-button" button={<MoreIcon />}>
      <RoomMenuItems room={room} />
    </Menu>
  )
}

/** The items of every menu of a room. */
export function RoomMenuItems({ room }: { readonly room: string }) {
  const page = usePage()
  const isDirect = room.startsWith('dm:')
  return (
    <>
      {!isDirect && (
        <>
          <MenuItem icon={<LinkIcon />} onChoose={() => void copyLink(room, (text) => page.showToast(text))}>
            Copy link
          </MenuItem>
          <MenuItem icon={<PersonIcon />} onChoose={() => (page.dialog.value = { kind: 'invite' })}>
            Invite people…
          </MenuItem>
        </>
      )}
      <MenuItem
        icon={<LeaveIcon />}
        isDangerous
        onChoose={() => (page.dialog.value = { kind: 'leave', room })}
      >
        {isDirect ? 'Close conversation…' : 'Leave room…'}
      </MenuItem>
    </>
  )
}

export function linkTo(room: string): string {
  return `${location.origin}${location.pathname}${hashOfRoom(room)}`
}

async function copyLink(room: string, showToast: (text: string) => void): Promise<void> {
  const link = linkTo(room)
  showToast((await copyText(link)) ? 'Link copied' : `Your browser blocks copying. The link is ${link}`)
}

interface RoomAbout {
  readonly item: RoomListItem | undefined
  readonly count: number
  readonly connection: ConnectionState
}

function aboutText(room: RoomState, { item, count, connection }: RoomAbout): string {
  if (connection === 'offline' || connection === 'refused') return 'You are offline'
  if (connection === 'connecting') return 'Connecting…'
  if (item?.other !== undefined) return item.present ? 'Online' : 'Offline'
  if (room === 'refused') return 'No access'
  // Known members: the room is joined again after an interruption.
  if (room === 'joining' && count === 0) return 'Joining…'
  return count <= 1 ? 'Only you' : `${numberText(count)} people here`
}
