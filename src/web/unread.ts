/** What a user has not read of a room: counted from what is at hand, and from what the server said of the rest. Pure. */
import type { ChatMessage } from '../client/index.ts'

export interface Unread {
  readonly count: number
  /** Of these, how many speak to the user by name. */
  readonly mentions: number
}

export interface ReadState {
  /** In order; own ones that wait have no number. */
  readonly messages: readonly ChatMessage[]
  /** There is more before the first of them. */
  readonly hasOlder: boolean
  /** The user has read up to this number. */
  readonly read: number
  readonly userId: string
  readonly mentionsUser: (text: string) => boolean
  /** As the server counted it when the log ended at `head`. */
  readonly told?: { readonly head: number; readonly unread: number; readonly read: number } | undefined
}

export function unreadOf({ messages, hasOlder, read, userId, mentionsUser, told }: ReadState): Unread {
  let count = 0
  let sinceTold = 0
  let mentions = 0
  let reachedRead = !hasOlder
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at]
    if (message?.seq === undefined) continue
    if (message.seq <= read) {
      reachedRead = true
      break
    }
    if (message.removed || message.from.id === userId) continue
    count += 1
    if (message.seq > (told?.head ?? 0)) sinceTold += 1
    if (mentionsUser(message.text ?? '')) mentions += 1
  }
  // What was counted before a later mark was set counts too much.
  if (reachedRead || told === undefined || told.read < read) return { count, mentions }
  return { count: Math.max(count, told.unread + sinceTold), mentions }
}
