/** Shown instead of messages: an empty room, or a room that refuses the user. */
import { useState } from 'preact/hooks'
import { type Author, type ChatRoom, isDirect, isolated } from '../../client/index.ts'
import { errorText } from '../app/error-text.ts'
import { copyText } from '../components/clipboard.ts'
import { CheckIcon, LinkIcon, WarningIcon } from '../components/icons.tsx'
import { useLeavingEmpty } from './empty-when-left.ts'
import { conversationKind } from './sentences.ts'

interface EmptyRoomProps {
  readonly room: ChatRoom
  readonly me: Author
  readonly title: string
}

const EMPTY = {
  room: {
    heading: (title: string) => `No messages in ${isolated(title)} yet`,
    text: 'Say hello. Everyone who opens this room can read it, now and later.',
  },
  direct: {
    heading: (title: string) => `Just you and ${title}`,
    text: 'Only the two of you can read this conversation. Say hello.',
  },
  notes: {
    heading: () => 'Notes to yourself',
    text: 'Only you can read what you write here.',
  },
} as const

export function EmptyRoom({ room, me, title }: EmptyRoomProps) {
  useLeavingEmpty(room)
  const kind = conversationKind(isDirect(room.name), title, me)
  return (
    <div class="empty-room">
      <Birds />
      <h2 dir="auto">{EMPTY[kind].heading(title)}</h2>
      <p>{EMPTY[kind].text}</p>
      {kind === 'room' && <CopyLink />}
    </div>
  )
}

function CopyLink() {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  const copy = async () => setState((await copyText(location.href)) ? 'copied' : 'failed')
  return (
    <>
      <button type="button" class="button" onClick={() => void copy()}>
        {state === 'copied' ? <CheckIcon size={18} /> : <LinkIcon size={18} />}
        {state === 'copied' ? 'Link copied' : 'Copy invite link'}
      </button>
      <p class="empty-room-link" role="status">
        {state === 'failed' ? location.href : ''}
      </p>
    </>
  )
}

export function RefusedRoom({ room, title }: { room: ChatRoom; title: string }) {
  return (
    <div class="empty-room" role="alert">
      <span class="empty-room-warning">
        <WarningIcon size={28} />
      </span>
      <h2 dir="auto">{title} can’t be opened</h2>
      <p title={room.refusal?.message}>{refusalText(room)}</p>
    </div>
  )
}

function refusalText({ refusal }: ChatRoom): string {
  if (refusal === undefined) return 'The server gave no reason.'
  if (refusal.code === 'forbidden')
    return 'You don’t have access. Ask someone in the room, or whoever runs this server.'
  if (refusal.code === 'bad_request') return `This name can’t be used: ${refusal.message}.`
  return errorText(refusal.code)
}

/** Two birds on a wire, one of them with a speech bubble. */
function Birds() {
  return (
    <svg class="birds" viewBox="0 0 200 96" width="200" height="96" aria-hidden="true">
      <path class="birds-line" d="M4 82c60 7 132 7 192 0" />
      <path
        class="birds-bird"
        d="M58 84c-15-2-23-13-23-27 0-13 9-23 22-23 10 0 16 5 19 12l10 4-10 4c-1 9-3 15-7 20l4 10h-6l-3-8-2 .5z"
      />
      <path
        class="birds-bird birds-other"
        d="M144 84c14-2 21-12 21-25 0-12-8-21-20-21-9 0-15 5-17 11l-9 4 9 4c1 8 3 13 6 18l-3 9h5l3-7 2 .5z"
      />
      <circle class="birds-eye" cx="64" cy="46" r="2.4" />
      <circle class="birds-eye" cx="139" cy="49" r="2.2" />
      <path
        class="birds-words"
        d="M88 12h24a6 6 0 0 1 6 6v9a6 6 0 0 1-6 6h-13l-8 7v-7h-3a6 6 0 0 1-6-6v-9a6 6 0 0 1 6-6z"
      />
      <circle class="birds-dot" cx="93" cy="22.500" r="1.900" />
      <circle class="birds-dot" cx="100" cy="22.500" r="1.900" />
      <circle class="birds-dot" cx="107" cy="22.500" r="1.900" />
    </svg>
  )
}
