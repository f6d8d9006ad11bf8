/** One section of the list: rooms or direct conversations. */
import { useId } from 'preact/hooks'
import { usePage } from '../app/page.ts'
import { countText } from '../app/page-title.ts'
import { hashOfRoom } from '../app/route.ts'
import { Avatar } from '../components/avatar.tsx'
import { AtIcon, HashIcon, MoreIcon } from '../components/icons.tsx'
import { Menu } from '../components/menu.tsx'
import { RoomMenuItems } from '../room/room-header.tsx'
import type { RoomLine } from './room-list-model.ts'

interface RoomListProps {
  readonly title: string
  readonly lines: readonly RoomLine[]
  readonly onOpened: () => void
}

export function RoomList({ title, lines, onOpened }: RoomListProps) {
  const page = usePage()
  const id = useId()
  const open = page.room.value
  const hasOpen = lines.some(({ room }) => room === open)
  return (
    <section class="room-list" aria-labelledby={id}>
      <h2 id={id} class="room-list-title">
        {title}
      </h2>
      <ul>
        {lines.map((line, at) => (
          <RoomItem
            key={line.room}
            line={line}
            isOpen={line.room === open}
            isStop={hasOpen ? line.room === open : at === 0}
            onOpened={onOpened}
          />
        ))}
      </ul>
    </section>
  )
}

interface RoomItemProps {
  readonly line: RoomLine
  readonly isOpen: boolean
  /** Reachable with the Tab key; the arrow keys lead to the other items. */
  readonly isStop: boolean
  readonly onOpened: () => void
}

function RoomItem({ line, isOpen, isStop, onOpened }: RoomItemProps) {
  const { room, title, unread } = line
  return (
    <li class="room-item" data-unread={unread > 0}>
      <a
        class="room-link"
        href={hashOfRoom(room)}
        aria-current={isOpen ? 'page' : undefined}
        tabIndex={isStop ? 0 : -1}
        data-room-link
        onClick={onOpened}
      >
        <RoomPicture line={line} />
        <span class="room-link-title clipped">
          <bdi>{title}</bdi>
        </span>
        <RoomMarks line={line} />
      </a>
      <span class="room-item-menu">
        <Menu
          label={`More for ${title}`}
          class="icon-button icon-button-small"
          button={<MoreIcon size={18} />}
        >
          <RoomMenuItems room={room} />
        </Menu>
      </span>
    </li>
  )
}

function RoomPicture({ line: { other, present } }: { readonly line: RoomLine }) {
  if (other === undefined) {
    return (
      <span class="room-picture">
        <HashIcon size={16} />
      </span>
    )
  }
  return (
    <span class="room-picture" data-present={present}>
      <Avatar user={other} size="s" />
      {present && <span class="visually-hidden">here now: </span>}
    </span>
  )
}

function RoomMarks({ line: { other, unread, mentions } }: { readonly line: RoomLine }) {
  if (unread === 0) return null
  const isMention = mentions > 0 && other === undefined
  return (
    <span class="room-marks">
      {isMention && (
        <span class="mention-mark">
          <AtIcon size={14} />
          <span class="visually-hidden">, {mentions} for you</span>
        </span>
      )}
      <span class={mentions > 0 ? 'badge badge-strong' : 'badge'}>
        <span class="visually-hidden">, </span>
        {countText(unread)}
        <span class="visually-hidden"> unread</span>
      </span>
    </span>
  )
}
