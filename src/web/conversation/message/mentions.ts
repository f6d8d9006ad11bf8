/** Finds mentions (`@name`) and counts unread ones. Pure. */
import type { ChatMessage } from '../../../client/index.ts'

let known: { name: string; pattern: RegExp } | undefined

/**
 * Matches `@name` anywhere, ignoring case, but not inside a longer name or an address. Undefined for an empty
 * name.
 */
export function mentionPattern(name: string): RegExp | undefined {
  const called = name.trim()
  if (called === '') return undefined
  if (known?.name !== called) {
    // The `u` flag allows no other escapes.
    const literal = called.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
    const pattern = String.raw`(?<![\p{L}\p{M}\p{N}_@])@${literal}(?![\p{L}\p{M}\p{N}_])`
    known = { name: called, pattern: new RegExp(pattern, 'giu') }
  }
  return known.pattern
}

/** The number of unread messages in memory that mention the user. */
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
