/** Finds what can be completed at the caret: `:smi` or `@An`. Pure. */

export interface Completion {
  readonly kind: 'emoji' | 'mention'
  /** Without the `:` or `@`. */
  readonly query: string
  /** Position of the `:` or `@`. */
  readonly from: number
}

const EMOJI_BEGUN = /(?:^|[\s(]):([a-z0-9_+-]{2,32})$/i
const MENTION_BEGUN = /(?:^|[\s(])@([\p{L}\p{N}_.-]{0,32})$/u
/** Only this much text before the caret is examined. */
const LOOKED_AT_MAX = 40

export function completionAt(text: string, caret: number): Completion | undefined {
  const before = text.slice(Math.max(0, caret - LOOKED_AT_MAX), caret)
  const emoji = EMOJI_BEGUN.exec(before)?.[1]
  if (emoji !== undefined) return { kind: 'emoji', query: emoji, from: caret - emoji.length - 1 }
  const mention = MENTION_BEGUN.exec(before)?.[1]
  return mention === undefined
    ? undefined
    : { kind: 'mention', query: mention, from: caret - mention.length - 1 }
}

const CLOSED_EMOJI = /(?:^|[\s(]):([a-z0-9_+-]{2,32}):$/i

/** The name in a `:name:` that ends at the caret. */
export function closedEmojiAt(text: string, caret: number): string | undefined {
  return CLOSED_EMOJI.exec(text.slice(Math.max(0, caret - LOOKED_AT_MAX), caret))?.[1]?.toLowerCase()
}

/** What is between `from` and `to` is to be replaced. */
export interface Replacement {
  readonly from: number
  readonly to: number
  readonly by: string
}

export interface Edit {
  readonly text: string
  readonly caret: number
}

/** Replaces the text from `from` to the caret. */
export function replaced(text: string, from: number, caret: number, by: string): Edit {
  return { text: text.slice(0, from) + by + text.slice(caret), caret: from + by.length }
}
