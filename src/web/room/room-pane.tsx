/** One room: header, conversation and members; or the reason why it can't be shown. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { type Author, ChatError, directUsers, foldedRoom, isDirect } from '../../client/index.ts'
import { errorText } from '../app/error-text.ts'
import { roomNameProblem } from '../app/name-rules.ts'
import { usePage } from '../app/page.ts'
import { Dialog } from '../components/dialog.tsx'
import { Logo } from '../components/wordmark.tsx'
import { Conversation } from '../conversation/conversation.tsx'
import { Skeleton } from '../conversation/timeline/other-rows.tsx'
import type { Session } from '../session/session.ts'
import { MembersList } from './members.tsx'
import { RoomHeader } from './room-header.tsx'
import { roomTitle } from './room-title.ts'
import { useMembersPanel } from './use-members-panel.ts'

interface RoomPaneProps {
  readonly session: Session
  readonly name: string
}

export function RoomPane({ session, name }: RoomPaneProps) {
  const problem = isDirect(name) ? directProblem(name, session.me.value.id) : roomNameProblem(name)
  if (problem !== undefined) return <Unavailable text={problem} />
  const isKnown = session.rooms.items.value.some(({ room }) => room === name)
  const isFolded = isDirect(name) || name === foldedRoom(name)
  return isKnown || isFolded ? (
    <OpenRoom session={session} name={name} />
  ) : (
    <FindRoom key={name} session={session} name={name} />
  )
}

/** For a name in capitals: of a room from before names were folded, or another spelling. */
function FindRoom({ session, name }: RoomPaneProps) {
  const page = usePage()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    let isWanted = true
    const found = (room: string) => {
      if (!isWanted) return
      if (room === name) session.rooms.open(name)
      else page.replaceRoom(room)
    }
    session.chat.roomName(name).then(found, (error: unknown) => {
      if (isWanted) setProblem(errorText(ChatError.from(error).code))
    })
    return () => {
      isWanted = false
    }
  }, [session, name, page])
  return problem === undefined ? <Skeleton /> : <Unavailable text={problem} />
}

function OpenRoom({ session, name }: RoomPaneProps) {
  const page = usePage()
  const room = useMemo(() => session.rooms.open(name), [session, name])
  const items = session.rooms.items.value
  const title = roomTitle(items, name)
  const item = items.find((known) => known.room === name)
  const membersPanel = useMembersPanel(room, item)
  const openDirect = (user: Author) => page.openDirect(user)
  return (
    <div class="room-pane" data-people={membersPanel.isInline}>
      <section class="room-middle" aria-labelledby="room-title">
        <RoomHeader session={session} room={room} title={title} item={item} membersPanel={membersPanel} />
        <div class="room-conversation">
          <Conversation
            key={session.chat}
            chat={session.chat}
            room={room}
            me={session.me.value}
            title={title}
            onOpenDirect={openDirect}
          />
        </div>
      </section>
      {membersPanel.isInline && (
        <aside class="people" aria-label="People in this room">
          <h2 class="people-title">In this room</h2>
          <MembersList room={room} session={session} />
        </aside>
      )}
      {membersPanel.isSheetOpen && (
        <Dialog title="In this room" shape="sheet" onClose={membersPanel.toggle}>
          <MembersList room={room} session={session} onChosen={membersPanel.toggle} />
        </Dialog>
      )}
    </div>
  )
}

function Unavailable({ text }: { readonly text: string }) {
  const page = usePage()
  return (
    <div class="empty-pane">
      <Logo size={48} />
      <h2 class="empty-pane-title">This room can’t be opened</h2>
      <p>{text}</p>
      <button type="button" class="button" onClick={() => page.showList()}>
        Back to your rooms
      </button>
    </div>
  )
}

/** Shown beside the list while no room is open. */
export function NoRoom() {
  return (
    <div class="empty-pane">
      <Logo size={48} />
      <h2 class="empty-pane-title">No room selected</h2>
      <p>Choose a room or a person from the list, or search for one.</p>
    </div>
  )
}

/** @param myId empty until it is known */
function directProblem(name: string, myId: string): string | undefined {
  const users = directUsers(name)
  if (users === undefined) return 'This is not a link to a direct conversation.'
  if (myId === '' || users.includes(myId)) return undefined
  return 'This conversation is between two other people. You may have been another user when you got the link.'
}
