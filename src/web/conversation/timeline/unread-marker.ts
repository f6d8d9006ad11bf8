/** The position of the unread marker and the number of unseen messages. Pure. */
import type { ChatMessage } from '../../../client/index.ts'

/** The number of messages of others after the last one seen. */
export function unseenIn(messages: readonly ChatMessage[], seen: number, me: string): number {
  let count = 0
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at]
    if (message?.seq === undefined) continue
    if (message.seq <= seen) break
    if (message.from.id !== me && !message.removed) count += 1
  }
  return count
}

export interface Opening {
  /** The user's read position. */
  readonly read: number
  /** The newest sequence number when the room was opened. */
  readonly head: number
  /** The number of unread messages of others. */
  readonly unread: number
  /** The room was empty at the user's last visit. */
  readonly wasEmpty: boolean
}

/** The first new sequence number; undefined if all is read or this is the first visit. */
export function unreadAtOpening({ read, head, unread, wasEmpty }: Opening): number | undefined {
  return (read > 0 || wasEmpty) && read < head && unread > 0 ? read + 1 : undefined
}

/** A marker that was read moves to the new message; an unread one stays. */
export function unreadAfter(line: number | undefined, read: number, arrived: number): number {
  return line === undefined || line <= read ? arrived : line
}
