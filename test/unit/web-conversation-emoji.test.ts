import { gzipSync } from 'node:zlib'
import compact from 'emojibase-data/en/compact.json' with { type: 'json' }
import shortcodes from 'emojibase-data/en/shortcodes/github.json' with { type: 'json' }
import { describe, expect, test } from 'vitest'
import {
  EMOJI_GROUPS,
  type Emoji,
  emojiNamed,
  emojiOf,
  findEmoji,
} from '../../src/web/conversation/emoji/emoji.ts'

const LIST = '../../src/web/conversation/emoji/emoji-list.txt'
const WORDS_MAX = 3
const LIST_MAX_BYTES = 25_000

/**
 * The part of emojibase's data in the page: the names, and a few keywords that they do not contain.
 */
function madeList(): string {
  const names: Record<string, string | string[]> = shortcodes
  const lines = compact
    .filter(({ group }) => group !== undefined && EMOJI_GROUPS.has(group))
    .toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map(({ unicode, hexcode, group, label, tags = [] }) => {
      const all = [names[hexcode] ?? label.toLowerCase().replace(/[^a-z0-9]+/g, '_')].flat()
      const name = all.join(' ')
      const words = [...new Set([...label.toLowerCase().split(/[^a-z0-9]+/), ...tags])]
      const more = words.filter((word) => word.length > 2 && !name.includes(word)).slice(0, WORDS_MAX)
      return [unicode, name, group, more.join(' ')].join('|')
    })
  return `${lines.join('\n')}\n`
}

describe('the list of emoji', () => {
  test('matches emojibase (npm test -- --update regenerates it)', async () => {
    await expect(madeList()).toMatchFileSnapshot(LIST)
  })

  test('is small enough to be fetched when it is first opened', () => {
    expect(gzipSync(madeList()).length).toBeLessThan(LIST_MAX_BYTES)
  })

  test('has a name and a known group for each', () => {
    const list = emojiOf(madeList())
    expect(list.length).toBeGreaterThan(1_000)
    expect(
      list.filter(({ char, name, group }) => char === '' || name === '' || !EMOJI_GROUPS.has(group)),
    ).toEqual([])
  })
})

const emoji = (char: string, name: string, words = '', aliases: string[] = []): Emoji => ({
  char,
  name,
  aliases,
  group: 0,
  words,
})

describe('the emoji search', () => {
  const list = [
    emoji('a', 'heart_eyes'),
    emoji('b', 'sparkling_heart'),
    emoji('c', 'heart'),
    emoji('d', 'kiss', 'love heart'),
    emoji('e', '+1', 'hand', ['thumbsup']),
  ]

  test('puts exact names first, then starts of names, then parts of names, then keywords', () => {
    expect(findEmoji(list, 'Heart', 9).map(({ char }) => char)).toEqual(['c', 'a', 'b', 'd'])
    expect(findEmoji(list, 'heart eyes', 9).map(({ char }) => char)).toEqual(['a'])
    expect(findEmoji(list, 'nothing', 9)).toEqual([])
    expect(findEmoji(list, '', 2).map(({ char }) => char)).toEqual(['a', 'b'])
  })

  test('finds other names', () => {
    expect(emojiNamed(list, 'thumbsup')?.char).toBe('e')
    expect(findEmoji(list, 'thumbs', 9).map(({ char }) => char)).toEqual(['e'])
    const made = emojiOf(madeList())
    expect(emojiNamed(made, 'thumbsup')).toBe(emojiNamed(made, '+1'))
  })

  test('finds a whole name', () => {
    expect(emojiNamed(list, 'kiss')?.char).toBe('d')
    expect(emojiNamed(list, 'kis')).toBeUndefined()
  })
})
