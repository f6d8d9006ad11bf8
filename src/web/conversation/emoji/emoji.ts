/** Emoji and their search. Pure: the list is passed in as text. */

export interface Emoji {
  readonly char: string
  /** Short name without colons. */
  readonly name: string
  /** Other short names. */
  readonly aliases: readonly string[]
  readonly group: number
  readonly words: string
}

/** In the list's order of groups. */
export const EMOJI_GROUPS = new Map([
  [0, 'Smileys'],
  [1, 'People'],
  [3, 'Animals and nature'],
  [4, 'Food and drink'],
  [5, 'Travel and places'],
  [6, 'Activities'],
  [7, 'Objects'],
  [8, 'Symbols'],
])

/** Parses the list. Each line: the emoji, its short names, its group, keywords. */
export function emojiOf(list: string): Emoji[] {
  return list
    .trim()
    .split('\n')
    .map((line) => {
      const [char = '', names = '', group = '', words = ''] = line.split('|')
      const [name = '', ...aliases] = names.split(' ')
      return { char, name, aliases, group: Number(group), words }
    })
}

/** Best matches first: the exact name, its beginning, a later word of it, then keywords. */
export function findEmoji(list: readonly Emoji[], query: string, max: number): Emoji[] {
  const wanted = query.trim().toLowerCase().replace(/\s+/g, '_')
  if (wanted === '') return list.slice(0, max)
  const found: Emoji[][] = [[], [], [], []]
  for (const emoji of list) {
    const rank = rankOf(emoji, wanted)
    if (rank !== undefined) found[rank]?.push(emoji)
  }
  return found.flat().slice(0, max)
}

function rankOf({ name, aliases, words }: Emoji, wanted: string): number | undefined {
  const names = [name, ...aliases]
  if (names.includes(wanted)) return 0
  if (names.some((one) => one.startsWith(wanted))) return 1
  if (names.some((one) => one.includes(`_${wanted}`))) return 2
  return ` ${words}`.includes(` ${wanted.replaceAll('_', ' ')}`) ? 3 : undefined
}

export function emojiNamed(list: readonly Emoji[], name: string): Emoji | undefined {
  return list.find((emoji) => emoji.name === name || emoji.aliases.includes(name))
}
