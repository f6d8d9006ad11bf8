/** The answers that the protocol allows a server, as strictly as its document describes them. */
import { z } from 'zod'
import type { ChatEvent } from '../../../src/wire/chat.ts'
import { chatRequests } from '../../../src/wire/chat.ts'
import { appendResult, author, logEntry, roomName } from '../../../src/wire/entry.ts'
import { type ErrorCode, errorTable } from '../../../src/wire/errors.ts'

const codes = Object.keys(errorTable) as ErrorCode[]

const errorBody = z
  .strictObject({
    code: z.enum(codes),
    message: z.string().min(1),
    retryable: z.boolean(),
    retryAfterMs: z.number().positive().optional(),
  })
  .refine(
    ({ code, retryable }) => retryable === errorTable[code].retryable,
    'retryable is not what the table says',
  )
  // No input may cause an internal error.
  .refine(({ code }) => code !== 'internal', 'an internal error')

/** The error in an ack or in an HTTP body. */
export const refusal = z.strictObject({ ok: z.literal(false), error: errorBody })

/** `data` of a `connect_error`. */
export const connectRefusal = errorBody

const ok = { ok: z.literal(true) }
const count = z.int().min(0)
const page = { epoch: z.string().min(1), head: count, messages: z.array(logEntry), more: z.boolean() }
const appended = z.strictObject({ ...ok, ...appendResult.shape })
const ownRoom = z.strictObject({ room: roomName, head: count, read: count, unread: count })

const answers: Record<ChatEvent, z.ZodType> = {
  'room:join': z.strictObject({
    ...ok,
    room: roomName,
    ...page,
    reset: z.boolean(),
    members: z.array(author),
  }),
  'room:leave': z.strictObject(ok),
  'message:send': appended,
  'message:edit': appended,
  'message:remove': appended,
  'entry:append': appended,
  'room:history': z.strictObject({ ...ok, room: roomName, ...page }),
  'room:members': z.strictObject({ ...ok, members: z.array(author), count }),
  'room:read': z.strictObject({ ...ok, seq: count }),
  'dm:open': z.strictObject({ ...ok, room: roomName }),
  'people:search': z.strictObject({
    ...ok,
    people: z.array(z.strictObject({ ...author.shape, present: z.boolean() })).max(50),
  }),
  rooms: z.strictObject({ ...ok, rooms: z.array(ownRoom) }),
  typing: z.strictObject(ok),
}

/** @returns the code of the answer; @throws when the protocol has no such answer to this event */
export function codeOf(event: string, answer: unknown): ErrorCode | 'ok' {
  const refused = refusal.safeParse(answer)
  if (refused.success) return refused.data.error.code
  const expected = isChatEvent(event) ? z.union([answers[event], refusal]) : refusal
  const given = expected.safeParse(answer)
  if (!given.success) {
    throw new Error(`${event} was answered with ${JSON.stringify(answer)}: ${z.prettifyError(given.error)}`)
  }
  return 'ok'
}

/** Whether the schema accepts the payload after a trip through JSON. */
export function isValid(event: ChatEvent, payload: unknown): boolean {
  const carried: unknown = payload === undefined ? null : JSON.parse(JSON.stringify(payload))
  return chatRequests[event].safeParse(carried).success
}

function isChatEvent(event: string): event is ChatEvent {
  return Object.hasOwn(answers, event)
}
