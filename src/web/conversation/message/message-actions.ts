/** The actions on a message. */
import type { Author, ChatMessage } from '../../../client/index.ts'

export interface MessageActions {
  readonly copy: (message: ChatMessage) => void
  readonly edit: (message: ChatMessage) => void
  readonly remove: (message: ChatMessage) => void
  /** Starts a message that mentions the author. */
  readonly reply: (message: ChatMessage) => void
  readonly direct: (user: Author) => void
  /** Opens the menu of a message at an element. */
  readonly menu: (message: ChatMessage, anchor: Element) => void
}

/** Whether an own message can be changed: it is in the log and has no pending change. */
export function isChangeable({ state, removed, change, seq }: ChatMessage): boolean {
  return (
    state === 'sent' && seq !== undefined && !removed && (change === undefined || change.state === 'failed')
  )
}
