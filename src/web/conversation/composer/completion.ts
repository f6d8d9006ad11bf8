/** What is being written where the caret stands, that can be completed: `:smi` or `@An`. Pure. */

export interface Completion {
  readonly kind: 'emoji' | 'mention'
  /** Without its sign. */
  readonly query: string
  /** Where its sign stands. */
  readonly from: number
}

const EMOJI_BEGUN = /(?:^|[\s(]):([a-z0-9_+-]{2,32})$/i
const MENTION_BEGUN = /(?:^|[\s(])@([\p{L}\p{N}_.-]{0,32})$/u
/** More of the text is never looked at. */
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

/** The name in a `:name:` that has just been closed before the caret. */
export function closedEmojiAt(text: string, caret: number): string | undefined {
  return CLOSED_EMOJI.exec(text.slice(Math.max(0, caret - LOOKED_AT_MAX), caret))?.[1]?.toLowerCase()
}

export interface Edit {
  readonly text: string
  readonly caret: number
}

/** `text` with what stands from `from` to the caret replaced. */
export function replaced(text: string, from: number, caret: number, by: string): Edit {
  return { text: text.slice(0, from) + by + text.slice(caret), caret: from + by.length }
}
