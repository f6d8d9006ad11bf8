/** A user's avatar: initials from the name and a hue from the id. Pure. */
import type { Author } from '../../client/index.ts'

export interface AvatarContent {
  readonly initials: string
  /** Degrees, in [0, 360). */
  readonly hue: number
}

/** Few enough hues to tell them apart. */
const HUES = 14

/** Scripts whose letters would join, which initials must not. */
const JOINING = /\p{Script=Arabic}|\p{Script=Syriac}/u
const APART = '\u200c'

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

export function avatarContentOf({ id, name }: Author): AvatarContent {
  return { initials: initialsOf(name), hue: hueOf(id) }
}

/** From the first and the last word; from a single word its first character. */
function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word !== '')
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words
  const [first = '?', last = ''] = ends.map((word) => firstLetter(word ?? ''))
  return last !== '' && JOINING.test(first) ? `${first}${APART}${last}` : first + last
}

/** FNV-1a of the id with a final mix: evenly distributed, and the same on every device. */
function hueOf(id: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0
  }
  // Ids that differ only in the last character must not get neighbouring hues.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash = (hash ^ (hash >>> 16)) >>> 0
  return Math.round((hash % HUES) * (360 / HUES))
}

function firstLetter(word: string): string {
  for (const { segment } of letters.segment(word)) return segment.toLocaleUpperCase()
  return ''
}
