/** What a user can do about a message. */
import type { Author, ChatMessage } from '../../../client/index.ts'

export interface MessageActions {
  readonly copy: (message: ChatMessage) => void
  readonly edit: (message: ChatMessage) => void
  readonly remove: (message: ChatMessage) => void
  /** Begins a message that mentions the author. */
  readonly reply: (message: ChatMessage) => void
  readonly direct: (user: Author) => void
  /** Opens the menu of a message at an element. */
  readonly menu: (message: ChatMessage, anchor: Element) => void
}

/** One's own, in the log, and with no change under way. */
export function isChangeable({ state, removed, change, seq }: ChatMessage): boolean {
  return (
    state === 'sent' && seq !== undefined && !removed && (change === undefined || change.state === 'failed')
  )
}
