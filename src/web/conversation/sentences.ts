/** Sentences about typing, reading and lengths. Pure. */
import { type Author, isolated } from '../../client/index.ts'
import { numberText } from '../app/locale.ts'

/** Empty if nobody else is typing. */
export function typingText(writers: readonly Author[], me: string): string {
  const names = writers.filter(({ id }) => id !== me).map(({ name }) => isolated(name))
  const [first, second] = names
  if (first === undefined) return ''
  if (second === undefined) return `${first} is typing…`
  return names.length === 2 ? `${first} and ${second} are typing…` : 'Several people are typing…'
}

const NAMED_MAX = 2

export interface Readers {
  readonly users: readonly Author[]
  readonly count: number
}

/** Who has read up to a message. Users with known names come first. */
export function readersOf(
  reads: ReadonlyMap<string, number>,
  seq: number,
  known: readonly Author[],
): Readers {
  const names = new Map(known.map((user) => [user.id, user]))
  const users: Author[] = []
  let count = 0
  for (const [id, read] of reads) {
    if (read < seq) continue
    count += 1
    const user = names.get(id)
    if (user !== undefined) users.push(user)
  }
  return { users, count }
}

export function readersText({ users, count }: Readers): string {
  const [first, second] = users
  if (count === 0) return ''
  if (users.length < count || count > NAMED_MAX || first === undefined) return `Seen by ${count}`
  const seen = `Seen by ${isolated(first.name)}`
  return second === undefined ? seen : `${seen} and ${isolated(second.name)}`
}

/** The title above the first message. */
export function beginningText(title: string, kind: ConversationKind): string {
  if (kind === 'notes') return 'This is the beginning of your notes'
  return kind === 'direct'
    ? `This is the beginning of your conversation with ${isolated(title)}`
    : `This is the beginning of ${isolated(title)}`
}

export type ConversationKind = 'room' | 'direct' | 'notes'

/** `notes`: a direct conversation of the user with nobody else. */
export function conversationKind(isDirect: boolean, title: string, me: Author): ConversationKind {
  if (!isDirect) return 'room'
  return title === notesTitle(me.name) ? 'notes' : 'direct'
}

export function notesTitle(name: string): string {
  return `${name} (you)`
}

export function newMessagesText(count: number): string {
  if (count === 0) return 'Jump to newest'
  return count === 1 ? '1 new message' : `${numberText(count)} new messages`
}

export function tooLongText(count: number, max: number): string {
  return `That is ${numberText(count)} characters; a message has at most ${numberText(max)}. Send it in parts.`
}
