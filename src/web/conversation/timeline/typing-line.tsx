/** The users who are typing. Keeps its height when there are none, so that nothing moves. */
import type { Author, ChatRoom } from '../../../client/index.ts'
import { toldApart } from '../same-names.ts'
import { typingText } from '../sentences.ts'
import { useShortIds } from '../short-ids.tsx'
import { useRoomValue } from '../use-room-value.ts'

const TYPING = ['typing', 'presence'] as const

export function TypingLine({ room, me }: { room: ChatRoom; me: Author }) {
  const [writers, members] = useRoomValue(
    room,
    TYPING,
    (known) => [known.writers, known.members.list] as const,
  )
  const shortIds = useShortIds(() => (writers.length === 0 ? [] : [me, ...members]), [writers, me, members])
  const text = typingText(toldApart(writers, shortIds), me.id)
  return (
    <p class="typing-line" role="status">
      {text !== '' && (
        <>
          <span class="typing-dots" aria-hidden="true">
            <span />
            <span />
            <span />
          </span>
          <bdi class="clipped">{text}</bdi>
        </>
      )}
    </p>
  )
}
