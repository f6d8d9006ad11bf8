/** The picture of a user without a picture: initials of the name, a hue of the id. Pure. */
import type { Author } from '../../client/index.ts'

export interface AvatarContent {
  readonly initials: string
  /** Degrees, 0 up to 360. */
  readonly hue: number
}

/** Hues that stay apart from each other at a glance. */
const HUES = 14

/** Scripts whose letters would run into each other, which initials must not. */
const JOINING = /\p{Script=Arabic}|\p{Script=Syriac}/u
const APART = '\u200c'

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

export function avatarContentOf({ id, name }: Author): AvatarContent {
  return { initials: initialsOf(name), hue: hueOf(id) }
}

/** Of the first word and the last; of one word alone the first character. */
function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word !== '')
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words
  const [first = '?', last = ''] = ends.map((word) => firstLetter(word ?? ''))
  return last !== '' && JOINING.test(first) ? `${first}${APART}${last}` : first + last
}

/** FNV-1a over the id, its bits mixed once more: even over the circle, the same on every device. */
function hueOf(id: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0
  }
  // Ids that differ in their last sign alone must not get hues that stand side by side.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash = (hash ^ (hash >>> 16)) >>> 0
  return Math.round((hash % HUES) * (360 / HUES))
}

function firstLetter(word: string): string {
  for (const { segment } of letters.segment(word)) return segment.toLocaleUpperCase()
  return ''
}
