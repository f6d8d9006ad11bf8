/** One section of the list: rooms or direct conversations. */
import { useId } from 'preact/hooks'
import { usePage } from '../app/page.ts'
import { countText } from '../app/page-title.ts'
import { hashOfRoom } from '../app/route.ts'
import { Avatar } from '../components/avatar.tsx'
import { AtIcon, HashIcon, MoreIcon } from '../components/icons.tsx'
import { Menu } from '../components/menu.tsx'
import type { ShortIds } from '../conversation/same-names.ts'
import { ShortId } from '../conversation/short-ids.tsx'
import { RoomMenuItems } from '../room/room-header.tsx'
import type { RoomListItem } from './room-list-model.ts'

interface RoomListProps {
  readonly title: string
  readonly items: readonly RoomListItem[]
  readonly shortIds: ShortIds
  readonly onOpened: () => void
}

export function RoomList({ title, items, shortIds, onOpened }: RoomListProps) {
  const page = usePage()
  const id = useId()
  const open = page.room.value
  const hasOpen = items.some(({ room }) => room === open)
  return (
    <section class="room-list" aria-labelledby={id}>
      <h2 id={id} class="room-list-title">
        {title}
      </h2>
      <ul>
        {items.map((item, at) => (
          <RoomItem
            key={item.room}
            item={item}
            shortId={shortIds.get(item.other?.id ?? '')}
            isOpen={item.room === open}
            isStop={hasOpen ? item.room === open : at === 0}
            onOpened={onOpened}
          />
        ))}
      </ul>
    </section>
  )
}

interface RoomItemProps {
  readonly item: RoomListItem
  readonly shortId: string | undefined
  readonly isOpen: boolean
  /** Reachable with the Tab key; the arrow keys lead to the other items and to their menus. */
  readonly isStop: boolean
  readonly onOpened: () => void
}

function RoomItem({ item, shortId, isOpen, isStop, onOpened }: RoomItemProps) {
  const { room, title, unread } = item
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
        <RoomPicture item={item} />
        <span class="room-link-title clipped">
          <bdi>{title}</bdi>
        </span>
        <ShortId id={shortId} />
        <RoomMarks item={item} />
      </a>
      <span class="room-item-menu">
        <Menu
          label={`More for ${title}`}
          class="icon-button icon-button-small"
          button={<MoreIcon size={18} />}
          isPassedBy={!isStop}
        >
          <RoomMenuItems room={room} />
        </Menu>
      </span>
    </li>
  )
}

function RoomPicture({ item: { other, present } }: { readonly item: RoomListItem }) {
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
      {present && <span class="visually-hidden">online: </span>}
    </span>
  )
}

function RoomMarks({ item: { other, unread, mentions } }: { readonly item: RoomListItem }) {
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
