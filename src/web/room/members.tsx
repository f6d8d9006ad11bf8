/** The members of a room. A click opens a direct conversation. */
import { useEffect, useMemo } from 'preact/hooks'
import type { Author, ChatRoom } from '../../client/index.ts'
import { numberText } from '../app/locale.ts'
import { usePage } from '../app/page.ts'
import { Avatar } from '../components/avatar.tsx'
import type { Session } from '../session/session.ts'
import { isConnected } from '../session/shown-state.ts'
import { sortedMembers } from './member-order.ts'

interface MembersListProps {
  readonly room: ChatRoom
  readonly session: Session
  readonly onChosen?: () => void
}

export function MembersList({ room, session, onChosen }: MembersListProps) {
  const page = usePage()
  const me = session.me.value
  useEffect(() => {
    // If the list is complete, events keep it up to date.
    if (room.joined && room.members.list.length < room.members.count)
      void room.fetchMembers().catch(() => undefined)
  }, [room])
  const { list, count } = session.rooms.membersOf(room)
  const isCurrent = isConnected(session.shownState.value)
  const members = useMemo(() => sortedMembers(list, me.id), [list, me.id])
  const choose = (user: Author) => {
    onChosen?.()
    page.openDirect(user)
  }
  return (
    <div class="members">
      <p class="members-count">
        {isCurrent ? countText(count, list.length) : 'As it was when you were last connected.'}
      </p>
      <ul class="members-list">
        {members.map((user) => (
          <Member key={user.id} user={user} isMe={user.id === me.id} choose={choose} />
        ))}
      </ul>
    </div>
  )
}

interface MemberProps {
  readonly user: Author
  readonly isMe: boolean
  readonly choose: (user: Author) => void
}

function Member({ user, isMe, choose }: MemberProps) {
  return (
    <li class="member">
      <button
        type="button"
        class="member-button"
        title={isMe ? 'Notes to yourself' : `Write to ${user.name}`}
        onClick={() => choose(user)}
      >
        <Avatar user={user} size="s" />
        <span class="clipped">
          <bdi>{user.name}</bdi>
        </span>
        {isMe && <span class="tag">you</span>}
      </button>
    </li>
  )
}

function countText(count: number, listed: number): string {
  if (count <= 1) return 'Nobody else is here right now.'
  if (listed >= count || listed === 0) return `${numberText(count)} people`
  return `${numberText(count)} people, ${numberText(listed)} of them listed`
}
