/** The members of a room, with a filter. A click opens a direct conversation. */
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { Author, ChatRoom } from '../../client/index.ts'
import { numberText } from '../app/locale.ts'
import { usePage } from '../app/page.ts'
import { Avatar } from '../components/avatar.tsx'
import { ShortId, useShortIds } from '../conversation/short-ids.tsx'
import type { Session } from '../session/session.ts'
import { isConnected } from '../session/shown-state.ts'
import { useFound } from '../session/use-found.ts'
import { membersShown, withFound } from './member-order.ts'

interface MembersListProps {
  readonly room: ChatRoom
  readonly session: Session
  readonly onChosen?: () => void
}

/** A shorter list needs no filter. */
const FILTERED_MIN = 12

export function MembersList({ room, session, onChosen }: MembersListProps) {
  const page = usePage()
  const me = session.me.value
  const [filter, setFilter] = useState('')
  const { list, count } = session.rooms.membersOf(room)
  const isShort = list.length < count
  useEffect(() => {
    // If the list is complete, events keep it up to date.
    if (isShort && room.joined) void room.fetchMembers().catch(() => undefined)
  }, [room, isShort])
  const isCurrent = isConnected(session.shownState.value)
  const found = useFound(
    isShort ? filter : '',
    useCallback((part: string) => room.findMembers(part), [room]),
  )
  const members = useMemo(
    () => membersShown(withFound(list, found), { me, filter }),
    [list, found, me, filter],
  )
  const choose = (user: Author) => {
    onChosen?.()
    page.openDirect(user)
  }
  return (
    <div class="members">
      <p class="members-count">
        {isCurrent ? countText(count, list.length) : 'From before the connection was lost.'}
      </p>
      {list.length >= FILTERED_MIN && (
        <input
          class="field members-filter"
          type="text"
          inputMode="search"
          dir="auto"
          aria-label="Filter people"
          placeholder="Filter"
          autocomplete="off"
          spellcheck={false}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      <Members members={members} me={me} choose={choose} />
      {members.length === 0 && <p class="members-count">No matches</p>}
    </div>
  )
}

interface MembersProps {
  readonly members: readonly Author[]
  readonly me: Author
  readonly choose: (user: Author) => void
}

/** One stop for the Tab key; the arrow keys lead to the others. */
function Members({ members, me, choose }: MembersProps) {
  const [active, setActive] = useState<string>()
  const shortIds = useShortIds(() => members, [members])
  const stop = members.some(({ id }) => id === active) ? active : members[0]?.id
  return (
    <ul class="members-list" onKeyDown={moveInMembers}>
      {members.map((user) => (
        <Member
          key={user.id}
          user={user}
          isMe={user.id === me.id}
          isStop={user.id === stop}
          shortId={shortIds.get(user.id)}
          choose={choose}
          focused={setActive}
        />
      ))}
    </ul>
  )
}

interface MemberProps {
  readonly user: Author
  readonly isMe: boolean
  readonly isStop: boolean
  readonly shortId: string | undefined
  readonly choose: (user: Author) => void
  readonly focused: (id: string) => void
}

function Member({ user, isMe, isStop, shortId, choose, focused }: MemberProps) {
  return (
    <li class="member">
      <button
        type="button"
        class="member-button"
        tabIndex={isStop ? 0 : -1}
        title={isMe ? 'Notes to yourself' : `Write to ${user.name}`}
        onFocus={() => focused(user.id)}
        onClick={() => choose(user)}
      >
        <Avatar user={user} size="s" />
        <span class="clipped">
          <bdi>{user.name}</bdi>
        </span>
        <ShortId id={shortId} />
        {isMe && <span class="tag">you</span>}
      </button>
    </li>
  )
}

function moveInMembers(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('.member-button')]
  const at = buttons.findIndex((button) => button === document.activeElement)
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: buttons.length - 1,
  }
  const to = steps[event.key]
  if (to === undefined) return
  event.preventDefault()
  buttons[Math.max(0, Math.min(buttons.length - 1, to))]?.focus()
}

function countText(count: number, listed: number): string {
  if (count <= 1) return 'Only you are here right now.'
  if (listed >= count || listed === 0) return `${numberText(count)} people`
  return `${numberText(count)} people, ${numberText(listed)} of them listed`
}
