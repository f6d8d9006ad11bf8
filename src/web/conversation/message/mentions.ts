/** Finds mentions (`@name`) and counts unread ones. Pure. */
import type { ChatMessage } from '../../../client/index.ts'

let known: { name: string; pattern: RegExp } | undefined

/**
 * Matches `@name` anywhere, ignoring case and how accents are encoded, but not inside a longer name or an address. Group 1
 * is the character before it, group 2 the mention: look-behind is unknown to Safari before 16.4. Undefined for an empty
 * name.
 */
export function mentionPattern(name: string): RegExp | undefined {
  const called = name.trim()
  if (called === '') return undefined
  if (known?.name !== called) {
    // Some characters are never composed: the name as it is written counts too.
    const literal = `(?:${escaped(called)}|${Array.from(called.normalize('NFC'), inAnyForm).join('')})`
    const pattern = String.raw`(^|[^\p{L}\p{M}\p{N}_@])(@${literal})(?![\p{L}\p{M}\p{N}_])`
    known = { name: called, pattern: new RegExp(pattern, 'giu') }
  }
  return known.pattern
}

/** A composed character, or the same as a letter with marks. */
function inAnyForm(char: string): string {
  const apart = char.normalize('NFD')
  return apart === char ? escaped(char) : `(?:${escaped(char)}|${escaped(apart)})`
}

/** The `u` flag allows no other escapes. */
function escaped(literal: string): string {
  return literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
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
