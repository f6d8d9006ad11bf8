/**
 * The chat protocol as schemas and types: requests, answers, events. Server, client package and load test
 * share this file. Unknown keys are ignored, as clients ignore unknown kinds, so that a newer client can use
 * an older server.
 */
import { z } from 'zod'
import { FOUND_MAX } from './app.ts'
import { directUsers, isDirect, USER_ID_MAX_BYTES } from './chat-direct.ts'
import type { AppendResult, Author, LogEntry } from './entry.ts'
import { entryData, messageId, ownKind, roomName, sequence } from './entry.ts'
import type { ErrorBody } from './errors.ts'
import { givenName, NAME_MAX_CHARS, nameProblem, tidyName } from './names.ts'
import { askedRoom } from './room-names.ts'

export const HISTORY_DEFAULT = 50
const FOUND_DEFAULT = 20
export const HISTORY_MAX = 200
const GUEST_KEY_MIN_CHARS = 16

/** UTF-8 can't encode half of a surrogate pair, so a text with one can't be stored as it was sent. */
const LONE_SURROGATE = /\p{Cs}/u
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u

/** A setting limits its length in Unicode code points (`charsIn`). */
export const text = z
  .string()
  .min(1, 'a text has at least one character')
  .refine((value) => !LONE_SURROGATE.test(value), 'half of a surrogate pair is no character')

/** Counts Unicode code points, so that clients in all languages agree. */
export function charsIn(value: string): number {
  let chars = 0
  for (const _ of value) chars += 1
  return chars
}

export const userName = z
  .string()
  .overwrite(tidyName)
  .superRefine((name, context) => {
    const message = nameProblem(name)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

export const userId = z
  .string()
  .min(1)
  .refine(
    (value) => Buffer.byteLength(value) <= USER_ID_MAX_BYTES,
    `an id has at most ${USER_ID_MAX_BYTES} bytes`,
  )
  .refine((value) => !UNPRINTABLE.test(value), 'an id has no control characters')

/** As another server calls its user. */
export const chatAuthor = z
  .object({ id: userId, name: z.string().min(1) })
  .transform(({ id, name }): Author => ({ id, name: givenName(name, id) }))

/** As users write it. In capitals it may be the name of a room of before (chat/rooms/room-names.ts finds out). */
export const chatRoom = z
  .string()
  .overwrite((room) => (isDirect(room) ? room : askedRoom(room)))
  .pipe(roomName)
  .refine(
    (room) => !isDirect(room.toLowerCase()) || directUsers(room) !== undefined,
    'this is not the name of a direct room: ask for it with dm:open',
  )

const pageLimit = z.int().min(1).max(HISTORY_MAX).default(HISTORY_DEFAULT)
const target = z.int().min(1)

const range = { before: sequence.optional(), after: sequence.optional(), limit: pageLimit }
const oneDirection = (asked: { before?: number | undefined; after?: number | undefined }) =>
  asked.before === undefined || asked.after === undefined
const ONE_DIRECTION = 'either before or after, not both'

/** A part of a name. */
const nameSearch = z.string().trim().min(1).max(NAME_MAX_CHARS)

export const membersView = z.object({ search: nameSearch.optional(), after: userId.optional() })

export const historyRange = z.object(range).refine(oneDirection, ONE_DIRECTION)
export type HistoryRange = z.infer<typeof historyRange>

/** Client → server: one schema per event. */
export const chatRequests = {
  'room:join': z.object({
    room: chatRoom,
    after: sequence.optional(),
    epoch: z.string().min(1).max(128).optional(),
    limit: pageLimit,
  }),
  'room:leave': z.object({ room: chatRoom }),
  'message:send': z.object({ room: chatRoom, id: messageId, text }),
  'message:edit': z.object({ room: chatRoom, id: messageId, target, text }),
  'message:remove': z.object({ room: chatRoom, id: messageId, target }),
  /** Of an application's own kind, where it mounts the chat and allows the kind. */
  'entry:append': z.object({ room: chatRoom, id: messageId, kind: ownKind, data: entryData.optional() }),
  'room:history': z.object({ room: chatRoom, ...range }).refine(oneDirection, ONE_DIRECTION),
  'room:members': membersView.extend({ room: chatRoom }),
  'room:read': z.object({ room: chatRoom, seq: sequence }),
  rooms: z.object({}),
  'people:search': z.object({
    search: nameSearch,
    limit: z.int().min(1).max(FOUND_MAX).default(FOUND_DEFAULT),
  }),
  /** The room of the user and this other user, or of the user alone. */
  'dm:open': z.object({ user: userId }),
  typing: z.object({ room: chatRoom, typing: z.boolean() }),
} as const

export type ChatEvent = keyof typeof chatRequests
/** As the server has it after validation; clients may omit fields with a default. */
export type ChatRequest<E extends ChatEvent> = z.output<(typeof chatRequests)[E]>

/** Somebody that a search has found. */
export interface FoundPerson extends Author {
  /** Connected at the moment. */
  present: boolean
}

export interface ChatPage {
  epoch: string
  head: number
  messages: LogEntry[]
  more: boolean
}

/** The fields of an ack besides `ok: true`. */
export interface ChatAnswers {
  'room:join': ChatPage & { room: string; reset: boolean; members: Author[] }
  'room:leave': object
  'message:send': AppendResult
  'message:edit': AppendResult
  'message:remove': AppendResult
  'entry:append': AppendResult
  'room:history': ChatPage & { room: string }
  'room:members': { members: Author[]; count: number }
  'people:search': { people: FoundPerson[] }
  'room:read': { seq: number }
  'dm:open': { room: string }
  rooms: { rooms: { room: string; head: number; read: number; unread: number }[] }
  typing: object
}

export type Ack<T> = ({ ok: true } & T) | { ok: false; error: ErrorBody }

/** Sent in `welcome`. Rates are per second and user: of messages and pages over all workers and hosts, of other requests on each worker. */
export interface ChatLimits {
  /** In Unicode code points. */
  textMaxChars: number
  nameMaxChars: number
  roomMaxChars: number
  idMaxChars: number
  historyDefault: number
  historyMax: number
  roomsPerSocket: number
  messageRate: number
  messageBurst: number
  requestRate: number
  requestBurst: number
  /** Larger rooms announce only their member count, and member lists hold only the first this many. */
  membersShown: number
}

/** Server → client: one payload per event. */
export interface ChatEvents {
  welcome: { user: Author; host: string; worker: string; limits: ChatLimits }
  message: LogEntry
  presence: { room: string; joined?: Author[]; left?: { id: string }[]; count: number }
  typing: { room: string; user: Author; typing: boolean }
  /** Sent to the user's other connections too, whether they have joined the room or not. */
  read: { room: string; user: { id: string }; seq: number }
  /**
   * A new text in a direct room of the user that this connection has not joined. `head` is its sequence
   * number.
   */
  room: { room: string; head: number; from: Author }
  gap: { room: string; from: number; to: number }
  /** The room's log was replaced; numbering starts again. The client drops its entries and joins again. */
  epoch: { room: string; epoch: string; head: number }
  cluster: { state: 'ok' } | { state: 'degraded'; reason: string }
  draining: { reconnectInMs: number }
}

/** `auth` of a connection in guest mode. */
export const guestAuth = z.object({
  name: userName,
  key: z.string().min(GUEST_KEY_MIN_CHARS).max(256).optional(),
})

/** `auth` of a connection in JWT mode. */
export const tokenAuth = z.object({ token: z.string().min(1).max(8192) })

/** Body of the server-side publish. */
export const publishBody = z.object({ id: messageId, text, from: chatAuthor })
