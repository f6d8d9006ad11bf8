/** Stands where the conversation will. */
import type { Author, ChatClient, ChatRoom } from '../client/index.ts'

export interface ConversationProps {
  readonly chat: ChatClient
  readonly room: ChatRoom
  readonly me: Author
  readonly title: string
  readonly onOpenDirect: (user: Author) => void
}

export function Conversation({ room, title }: ConversationProps) {
  return (
    <p>
      {title}: {room.messages.length}
    </p>
  )
}
