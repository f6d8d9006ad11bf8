import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '../../src/client/index.ts'
import { closedEmojiAt, completionAt, replaced } from '../../src/web/conversation/composer/completion.ts'
import {
  beginningText,
  conversationKind,
  newMessagesText,
  readersOf,
  readersText,
  tooLongText,
  typingText,
} from '../../src/web/conversation/sentences.ts'
import { unreadAfter, unreadAtOpening, unseenIn } from '../../src/web/conversation/timeline/unread-marker.ts'

const user = (name: string) => ({ id: name.toLowerCase(), name })

describe('the typing line', () => {
  test.each([
    [[], ''],
    [['Me'], ''],
    [['Ann'], 'Ann is typing…'],
    [['שרה', 'Bob'], '\u2068שרה\u2069 and Bob are typing…'],
    [['Ann', 'Me', 'Bob'], 'Ann and Bob are typing…'],
    [['Ann', 'Bob', 'Cleo'], 'Several people are typing…'],
  ])('%j: %s', (names, words) => {
    expect(typingText(names.map(user), 'me')).toBe(words)
  })
})

describe('the beginning of a conversation', () => {
  test.each([
    [false, '#lobby', 'This is the beginning of #lobby'],
    [true, 'Grace Hopper', 'This is the beginning of your conversation with Grace Hopper'],
    [true, 'Me (you)', 'This is the beginning of your notes'],
  ])('direct %s, %s: %s', (isDirect, title, text) => {
    expect(beginningText(title, conversationKind(isDirect, title, user('Me')))).toBe(text)
  })
})

describe('the readers of a message', () => {
  const reads = new Map([
    ['ann', 5],
    ['bob', 4],
    ['cleo', 6],
  ])

  test('are the users who read that far', () => {
    expect(readersOf(reads, 5, [user('Ann'), user('Bob')])).toEqual({ users: [user('Ann')], count: 2 })
  })

  test('are named if they are few and known', () => {
    expect(readersText({ users: [], count: 0 })).toBe('')
    expect(readersText({ users: [user('Ann')], count: 1 })).toBe('Seen by Ann')
    expect(readersText({ users: [user('Ann'), user('Bob')], count: 2 })).toBe('Seen by Ann and Bob')
    expect(readersText({ users: [user('Ann')], count: 2 })).toBe('Seen by 2')
    expect(readersText({ users: [user('Ann'), user('Bob'), user('Cleo')], count: 3 })).toBe('Seen by 3')
  })
})

const message = (seq: number | undefined, from: string, removed = false): ChatMessage => ({
  id: `${seq}`,
  from: user(from),
  at: 0,
  edited: false,
  removed,
  state: seq === undefined ? 'pending' : 'sent',
  ...(seq === undefined ? {} : { seq }),
})

describe('the unread messages', () => {
  test('are messages of others after the last one seen', () => {
    const messages = [
      message(1, 'Bob'),
      message(2, 'Bob'),
      message(4, 'Ann'),
      message(5, 'Bob', true),
      message(7, 'Bob'),
      message(undefined, 'Ann'),
    ]
    expect(unseenIn(messages, 1, 'ann')).toBe(2)
    expect(unseenIn(messages, 7, 'ann')).toBe(0)
    expect(unseenIn([], 0, 'ann')).toBe(0)
  })

  test('start after the last read message, for users who were here before', () => {
    const wasEmpty = false
    expect(unreadAtOpening({ read: 3, head: 9, unread: 2, wasEmpty })).toBe(4)
    expect(unreadAtOpening({ read: 9, head: 9, unread: 0, wasEmpty })).toBeUndefined()
    expect(unreadAtOpening({ read: 0, head: 9, unread: 9, wasEmpty })).toBeUndefined()
    expect(unreadAtOpening({ read: 3, head: 9, unread: 0, wasEmpty })).toBeUndefined()
    expect(unreadAtOpening({ read: 0, head: 9, unread: 9, wasEmpty: true })).toBe(1)
    expect(unreadAtOpening({ read: 0, head: 9, unread: 0, wasEmpty: true })).toBeUndefined()
  })

  test('continue after a line that was read, and stay at one that was not', () => {
    expect(unreadAfter(undefined, 5, 6)).toBe(6)
    expect(unreadAfter(4, 5, 6)).toBe(6)
    expect(unreadAfter(6, 5, 7)).toBe(6)
  })

  test('are counted in words', () => {
    expect([0, 1, 2].map(newMessagesText)).toEqual(['Jump to newest', '1 new message', '2 new messages'])
    expect(tooLongText(4_001, 4_000)).toContain((4_001).toLocaleString())
  })
})

describe('completion', () => {
  test.each([
    [':smi', 4, { kind: 'emoji', query: 'smi', from: 0 }],
    ['so :+1', 6, { kind: 'emoji', query: '+1', from: 3 }],
    ['hi @An', 6, { kind: 'mention', query: 'An', from: 3 }],
    ['@', 1, { kind: 'mention', query: '', from: 0 }],
    ['at 10:30', 8, undefined],
    ['http://a', 8, undefined],
    ['a:smi', 5, undefined],
    [':s', 2, undefined],
    ['ann@example', 11, undefined],
  ])('of %j', (text, caret, completion) => {
    expect(completionAt(text, caret)).toEqual(completion)
  })

  test('recognizes a name that has just been completed', () => {
    expect(closedEmojiAt('ok :Smile:', 10)).toBe('smile')
    expect(closedEmojiAt('10:30:', 6)).toBeUndefined()
    expect(closedEmojiAt('ok :smile: ', 11)).toBeUndefined()
  })

  test('changes only the word', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (before, word, after, by) => {
        const edit = replaced(before + word + after, before.length, before.length + word.length, by)
        expect(edit).toEqual({ text: before + by + after, caret: before.length + by.length })
      }),
    )
  })
})
