/** Whether a text speaks to somebody by `@name`. Pure. */
import type { ChatMessage } from '../client/index.ts'

/** A test for texts that mention this name: as a whole, in whatever case. */
export function mentionsOf(name: string): (text: string) => boolean {
  const escaped = name.trim().replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
  if (escaped === '') return () => false
  const pattern = new RegExp(String.raw`(?<![\p{L}\p{N}_@])@${escaped}(?![\p{L}\p{N}_])`, 'iu')
  return (text) => text.includes('@') && pattern.test(text)
}

/** How many of the messages that the user has not read, and that are at hand, speak to the user. */
export function unreadMentions(
  messages: readonly ChatMessage[],
  { readUpTo, userId, mentionsUser }: MentionedUser,
): number {
  let count = 0
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const { seq, from, text } = messages[at] ?? {}
    if (seq === undefined) continue
    if (seq <= readUpTo) break
    if (from?.id !== userId && text !== undefined && mentionsUser(text)) count += 1
  }
  return count
}

export interface MentionedUser {
  readonly userId: string
  readonly readUpTo: number
  readonly mentionsUser: (text: string) => boolean
}
