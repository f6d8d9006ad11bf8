/** Counting and recognizing characters. Pure. */

/** Counts Unicode code points, like the server. */
export function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** At most `max` characters of the text, none of them cut in two. */
export function beginningOf(text: string, max: number): string {
  if (text.length <= max) return text
  let end = 0
  for (const { segment, index } of graphemes.segment(text.slice(0, 4 * max))) {
    if (index + segment.length >= max) break
    end = index + segment.length
  }
  return `${text.slice(0, end)}…`
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const EMOJI =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F?|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3)/u
const LARGE_MAX = 3
/** Longer than any three emoji. */
const LOOKED_AT_MAX = 120

/** Whether the text is one to three emoji and nothing else. Such texts are shown large. */
export function isFewEmoji(text: string): boolean {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > LOOKED_AT_MAX) return false
  let count = 0
  for (const { segment } of graphemes.segment(trimmed)) {
    if (segment.trim() === '') continue
    count += 1
    if (count > LARGE_MAX || !EMOJI.test(segment)) return false
  }
  return count > 0
}
