/** Where new messages begin, and how many have not been seen. Pure. */
import type { ChatMessage } from '../../../client/index.ts'

/** How many messages of others stand behind the one that was seen last. */
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
  /** How far the user had read. */
  readonly read: number
  /** The newest when the room was opened. */
  readonly head: number
  /** How many of others stand behind it. */
  readonly unread: number
  /** There was nothing to be read when the user was here before. */
  readonly wasEmpty: boolean
}

/** The number that the 'New messages' line stands above; none for who has read all, or was never here. */
export function unreadAtOpening({ read, head, unread, wasEmpty }: Opening): number | undefined {
  return (read > 0 || wasEmpty) && read < head && unread > 0 ? read + 1 : undefined
}

/** A line that has been read up to moves on to what is new now; one that has not stays where it is. */
export function unreadAfter(line: number | undefined, read: number, arrived: number): number {
  return line === undefined || line <= read ? arrived : line
}
