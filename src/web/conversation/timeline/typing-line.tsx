/** Who writes just now. Keeps its place when nobody does, so that nothing jumps. */
import type { ChatRoom } from '../../../client/index.ts'
import { typingWords } from '../sentences.ts'
import { useRoom } from '../use-room-value.ts'

const TYPING = ['typing'] as const

export function TypingLine({ room, me }: { room: ChatRoom; me: string }) {
  const writers = useRoom(room, TYPING, (known) => known.writers)
  const words = typingWords(writers, me)
  return (
    <p class="typing-line" role="status">
      {words !== '' && (
        <>
          <span class="typing-dots" aria-hidden="true">
            <span />
            <span />
            <span />
          </span>
          <bdi class="clipped">{words}</bdi>
        </>
      )}
    </p>
  )
}
