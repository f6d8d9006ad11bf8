/**
 * Validates what the server sends, by hand: the schemas of wire/ would be most of the page's bytes. Invalid
 * data is ignored, never thrown. Entries of unknown kinds are valid: they take a place in the sequence and
 * show nothing.
 */
import type { ChatLimits, FoundPerson } from '../../wire/chat.ts'
import type { Author, LogEntry } from '../../wire/entry.ts'
import type { ErrorCode } from '../../wire/errors.ts'
import { errorTable } from '../../wire/errors.ts'
import { ChatError } from '../errors.ts'

/** A log entry as received. Kinds of applications and of later versions are kept as they are. */
export type Entry = LogEntry

/** One of the user's rooms, as far as the client knows. */
export interface RoomSummary {
  readonly room: string
  /** The sequence number of the newest entry. */
  readonly head: number
  /** The sequence number up to which the user has read. */
  readonly read: number
  /** Texts by others after `read`. */
  readonly unread: number
}

export interface Page {
  epoch: string
  head: number
  messages: Entry[]
  more: boolean
}

type Fields<T> = { [K in keyof T]?: unknown }

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

export function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isAuthor(value: unknown): value is Author {
  if (!isObject(value)) return false
  const { id, name }: Fields<Author> = value
  return typeof id === 'string' && id !== '' && typeof name === 'string'
}

export function isEntry(value: unknown, room: string): value is Entry {
  if (!isObject(value)) return false
  const entry: Fields<Entry> = value
  return (
    entry.room === room &&
    isSeq(entry.seq) &&
    entry.seq > 0 &&
    typeof entry.id === 'string' &&
    typeof entry.kind === 'string' &&
    isAuthor(entry.from) &&
    typeof entry.at === 'number' &&
    (entry.text === undefined || typeof entry.text === 'string') &&
    (entry.target === undefined || isSeq(entry.target))
  )
}

/** The page, oldest entry first; undefined if it is invalid. */
export function pageOf(value: unknown, room: string): Page | undefined {
  if (!isObject(value)) return undefined
  const { epoch, head, messages, more }: Fields<Page> = value
  if (typeof epoch !== 'string' || !isSeq(head) || !Array.isArray(messages)) return undefined
  const entries: unknown[] = messages
  if (!entries.every((entry) => isEntry(entry, room))) return undefined
  return { epoch, head, messages: entries.toSorted((a, b) => a.seq - b.seq), more: more === true }
}

export function authorsOf(value: unknown): Author[] {
  return Array.isArray(value) ? value.filter(isAuthor) : []
}

export function foundPeople(value: unknown): FoundPerson[] {
  if (!Array.isArray(value)) return []
  return value
    .filter((one): one is Author & { present?: unknown } => isAuthor(one))
    .map(({ id, name, present }) => ({ id, name, present: present === true }))
}

/** The user's rooms; undefined if it is no list. */
export function summariesOf(value: unknown): RoomSummary[] | undefined {
  return Array.isArray(value) ? value.filter(isSummary) : undefined
}

function isSummary(value: unknown): value is RoomSummary {
  if (!isObject(value)) return false
  const { room, head, read, unread }: Fields<RoomSummary> = value
  return typeof room === 'string' && isSeq(head) && isSeq(read) && isSeq(unread)
}

export function limitsOf(value: unknown): ChatLimits | undefined {
  if (!isObject(value)) return undefined
  return Object.values(value).every((limit) => typeof limit === 'number')
    ? (value as unknown as ChatLimits)
    : undefined
}

/** The error in an ack or of a refused connection. */
export function errorOf(value: unknown): ChatError {
  if (!isObject(value) || typeof value.code !== 'string') {
    return new ChatError({ code: 'bad_answer', message: 'refused without a reason', retryable: true })
  }
  const { code, message, retryable, retryAfterMs } = value
  const known = Object.hasOwn(errorTable, code)
  return new ChatError({
    code: known ? (code as ErrorCode) : 'internal',
    message: typeof message === 'string' ? message : code,
    retryable: typeof retryable === 'boolean' ? retryable : known && errorTable[code as ErrorCode].retryable,
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  })
}
