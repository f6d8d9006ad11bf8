/** The users who are typing. Keeps its height when there are none, so that nothing moves. */
import type { ChatRoom } from '../../../client/index.ts'
import { typingText } from '../sentences.ts'
import { useRoomValue } from '../use-room-value.ts'

const TYPING = ['typing'] as const

export function TypingLine({ room, me }: { room: ChatRoom; me: string }) {
  const writers = useRoomValue(room, TYPING, (known) => known.writers)
  const text = typingText(writers, me)
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
