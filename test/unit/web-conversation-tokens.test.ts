import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beginningOf, countCodePoints, isFewEmoji } from '../../src/web/conversation/characters.ts'
import { tokensOf } from '../../src/web/conversation/message/tokens.ts'
import { charsIn } from '../../src/wire/chat.ts'

const kindsOf = (text: string, name = 'Ann') =>
  tokensOf(text, name).map(({ kind, text: part }) => [kind, part])

/** Pieces that are special for the tokens, in any order and mixed with random text. */
const texts = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '`',
        '```',
        '\n',
        ' ',
        '@Ann',
        '@',
        'https://a.example/b?c=d#e',
        'mailto:a@b.example',
        '<b>',
        'javascript:alert(1)',
        '😀',
      ),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''))

describe('the tokens of a text', () => {
  test('add up to the text', () => {
    fc.assert(
      fc.property(
        texts,
        fc.constantFrom('Ann', '', 'a.b*c', '😀', 'Jean-Luc', '`', 'a@b.example'),
        (text, name) => {
          expect(
            tokensOf(text, name)
              .map((token) => token.text)
              .join(''),
          ).toBe(text)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('link only to http, https and mail', () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const token of tokensOf(text, 'Ann')) {
          if (token.kind === 'link') expect(token.url).toMatch(/^(https?:\/\/|mailto:)/i)
        }
      }),
    )
    for (const text of [
      'javascript:alert(1)',
      'ftp://a.example',
      '//a.example',
      'data:text/html,x',
      'index.ts',
    ]) {
      expect(kindsOf(text)).toEqual([['plain', text]])
    }
  })

  test('contain links without the full stop after them', () => {
    expect(kindsOf('See https://a.example/b.')).toEqual([
      ['plain', 'See '],
      ['link', 'https://a.example/b'],
      ['plain', '.'],
    ])
    expect(tokensOf('a@b.example', '')).toEqual([
      { kind: 'link', text: 'a@b.example', url: 'mailto:a@b.example' },
    ])
  })

  test('contain links without a protocol, and with a user', () => {
    expect(tokensOf('see www.example.org/a?b. Or', '')).toEqual([
      { kind: 'plain', text: 'see ' },
      { kind: 'link', text: 'www.example.org/a?b', url: 'https://www.example.org/a?b' },
      { kind: 'plain', text: '. Or' },
    ])
    for (const text of ['www.', 'www.example', 'www..org', 'awww.example.org', 'www. example.org']) {
      expect(kindsOf(text)).toEqual([['plain', text]])
    }
    for (const url of ['https://user:pass@host/', 'http://ann@host.example/a', 'https://www.example.org/']) {
      expect(tokensOf(url, '')).toEqual([{ kind: 'link', text: url, url }])
    }
  })

  test('contain code, in which nothing else is recognized', () => {
    expect(tokensOf('run `https://a.example @Ann` now', 'Ann')).toEqual([
      { kind: 'plain', text: 'run ' },
      { kind: 'code', text: '`https://a.example @Ann`', code: 'https://a.example @Ann' },
      { kind: 'plain', text: ' now' },
    ])
    expect(tokensOf('so:\n```sh\nls -l\n  cd /\n```\ndone', '')).toEqual([
      { kind: 'plain', text: 'so:' },
      { kind: 'block', text: '\n```sh\nls -l\n  cd /\n```\n', code: 'ls -l\n  cd /' },
      { kind: 'plain', text: 'done' },
    ])
    expect(kindsOf('`` and ``` alone')).toEqual([['plain', '`` and ``` alone']])
  })

  // Anything with quadratic time or worse would exceed the test's timeout.
  test.each([
    '```',
    '`',
    '```\n',
    '` ',
    '@A',
    '@Ann',
    '```a',
    'https://',
    'https://a:',
    'www.',
    'www.a.',
    'a@b.',
    '\n',
    '((',
  ])('are found in time in a text that repeats %j', (part) => {
    const text = part.repeat(Math.floor(40_000 / part.length))
    expect(
      tokensOf(text, 'Ann')
        .map((token) => token.text)
        .join(''),
    ).toBe(text)
  })

  test('contain mentions that include what looks like a link, and links that include what looks like a mention', () => {
    expect(kindsOf('@Jean-Luc, see https://a.example/@jean-luc', 'Jean-Luc')).toEqual([
      ['mention', '@Jean-Luc'],
      ['plain', ', see '],
      ['link', 'https://a.example/@jean-luc'],
    ])
    expect(kindsOf('@ann@a.example `@ann@a.example`', 'ann@a.example')).toEqual([
      ['mention', '@ann@a.example'],
      ['plain', ' '],
      ['code', '`@ann@a.example`'],
    ])
  })
})

describe('characters', () => {
  test('are counted the same way as on the server', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(countCodePoints(text)).toBe(charsIn(text))
      }),
    )
    expect(countCodePoints('👩‍👩‍👧')).toBe(5)
  })

  test('are not cut in two', () => {
    expect(beginningOf('short', 9)).toBe('short')
    expect(beginningOf('abcdefghij', 5)).toBe('abcd…')
    expect(beginningOf('abc😀defgh', 5)).toBe('abc…')
    expect(beginningOf('👩‍👩‍👧👩‍👩‍👧', 9)).toBe('👩‍👩‍👧…')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, max) => {
        const beginning = beginningOf(text, max)
        expect(beginning.length).toBeLessThanOrEqual(Math.max(max, 1))
        expect(text.startsWith(beginning.replace(/…$/, ''))).toBe(true)
      }),
    )
  })

  test.each(['😀', '😀😀😀', ' 👋🏽 ', '👩‍👩‍👧', '🇩🇪', '❤️', '3️⃣', '😀\n🎉'])('%j is shown large', (text) => {
    expect(isFewEmoji(text)).toBe(true)
  })

  test.each(['', ' ', 'a', '3', '#', '😀 a', '😀😀😀😀', '😀!', '123'])('%j is not', (text) => {
    expect(isFewEmoji(text)).toBe(false)
  })
})
