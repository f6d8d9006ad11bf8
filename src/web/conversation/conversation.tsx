/**
 * The conversation in one room: messages, typing users and the composer. Fills its parent and is independent
 * of the page around it.
 */
import './conversation.css'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type Author, type ChatClient, type ChatMessage, type ChatRoom } from '../../client/index.ts'
import { copyText } from '../components/clipboard.ts'
import { Composer, type ComposerHandle } from './composer/composer.tsx'
import { EmptyRoom, RefusedRoom } from './empty-room.tsx'
import { isChangeable, type MessageActions } from './message/message-actions.ts'
import { MessageMenu, type OpenMenu } from './message/message-menu.tsx'
import { RemoveDialog } from './message/remove-dialog.tsx'
import { LiveAnnouncer } from './timeline/live-announcer.tsx'
import { Skeleton } from './timeline/other-rows.tsx'
import { Timeline, type TimelineHandle } from './timeline/timeline.tsx'
import { TypingLine } from './timeline/typing-line.tsx'
import { useRoomValue } from './use-room-value.ts'

export interface ConversationProps {
  readonly chat: ChatClient
  readonly room: ChatRoom
  readonly me: Author
  /** The title of the room: `#lobby`, or a person's name. */
  readonly title: string
  /** Opens a direct conversation. */
  readonly onOpenDirect: (user: Author) => void
}

/** Remounts for another room, so that no state is carried over. */
export function Conversation(props: ConversationProps) {
  return <RoomConversation key={numberOf(props.room)} {...props} />
}

const numbers = new WeakMap<ChatRoom, number>()
let newest = 0

/** Identifies the room object: a room that was left and joined again is a new one. */
function numberOf(room: ChatRoom): number {
  const known = numbers.get(room)
  if (known !== undefined) return known
  newest += 1
  numbers.set(room, newest)
  return newest
}

const SHOWN = ['change', 'state'] as const
const STATUS_MS = 2_400

function RoomConversation({ chat, room, me, title, onOpenDirect }: ConversationProps) {
  const what = useRoomValue(room, SHOWN, whatToShow)
  const [editing, setEditing] = useState<ChatMessage>()
  const [removing, setRemoving] = useState<ChatMessage>()
  const [menu, setMenu] = useState<OpenMenu>()
  const [status, setStatus] = useState('')
  const composer = useRef<ComposerHandle | undefined>(undefined)
  const timeline = useRef<TimelineHandle | undefined>(undefined)

  useEffect(() => {
    if (status === '') return undefined
    const timer = setTimeout(() => setStatus(''), STATUS_MS)
    return () => clearTimeout(timer)
  }, [status])

  const actions: MessageActions = useMemo(
    () => ({
      copy: ({ text = '' }) => {
        void copyText(text).then((isCopied) => setStatus(isCopied ? 'Copied' : 'Your browser blocks copying'))
      },
      edit: setEditing,
      remove: setRemoving,
      reply: ({ from }) => composer.current?.insert(`@${from.name} `),
      direct: onOpenDirect,
      menu: (message, anchor) => setMenu({ message, anchor }),
    }),
    [onOpenDirect],
  )

  const closeMenu = useCallback(() => setMenu(undefined), [])
  const closeRemoving = useCallback(() => {
    setRemoving(undefined)
    composer.current?.focus()
  }, [])

  if (what === 'refused') {
    return (
      <section class="conversation">
        <RefusedRoom room={room} title={title} />
      </section>
    )
  }

  return (
    <section class="conversation" aria-label={`Conversation in ${title}`}>
      {what === 'messages' && (
        <Timeline
          chat={chat}
          room={room}
          me={me}
          title={title}
          actions={actions}
          handle={timeline}
          onWrite={() => composer.current?.focus()}
        />
      )}
      {what === 'empty' && <EmptyRoom room={room} me={me} title={title} />}
      {what === 'unknown' && <Skeleton />}
      <TypingLine room={room} me={me} />
      <Composer
        chat={chat}
        room={room}
        me={me.id}
        title={title}
        editing={editing}
        handle={composer}
        sent={() => timeline.current?.messageSent()}
        editLast={() => {
          const last = room.messages.findLast((message) => message.from.id === me.id && isChangeable(message))
          setEditing(last)
          return last !== undefined
        }}
        edited={(outcome) => {
          setEditing(undefined)
          if (outcome === 'emptied') setRemoving(editing)
          composer.current?.focus()
        }}
      />
      {menu !== undefined && <MessageMenu open={menu} me={me} actions={actions} close={closeMenu} />}
      {removing !== undefined && (
        <RemoveDialog
          message={removing}
          remove={() => {
            if (removing.seq !== undefined) room.remove(removing.seq)
            closeRemoving()
          }}
          close={closeRemoving}
        />
      )}
      <LiveAnnouncer room={room} me={me.id} />
      <p class={status === '' ? 'status' : 'status status-shown'} role="status">
        {status}
      </p>
    </section>
  )
}

/** The timeline stays visible while there is anything to show. */
function whatToShow(room: ChatRoom): 'messages' | 'empty' | 'unknown' | 'refused' {
  if (room.state === 'refused') return 'refused'
  if (room.messages.length > 0 || room.hasOlder || room.doubt !== undefined) return 'messages'
  return room.state === 'live' ? 'empty' : 'unknown'
}
