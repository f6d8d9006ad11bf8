/** The entries of a room's log and the drafts appended to it: types, and schemas for input from outside. */
import { z } from 'zod'
import { directUsers, USER_ID_MAX_BYTES } from './chat-direct.ts'
import { dataProblem, dataProblems, isOwnKind, KIND, KIND_RULE } from './entry-data.ts'
import { isRoomName } from './room-names.ts'

export const roomName = z
  .string()
  .refine(
    (room) => isRoomName(room) || directUsers(room) !== undefined,
    'a room is 1-64 letters, digits and . _ : -',
  )
export const messageId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'a message id is 1-64 characters of A-Z a-z 0-9 _ -')
export const sequence = z.int().min(0)

/** As stored and passed between processes. What users send is checked more strictly (wire/chat.ts). */
export const storedUserId = z.string().min(1).max(USER_ID_MAX_BYTES)
export const author = z.object({ id: storedUserId, name: z.string().min(1).max(64) })
export type Author = z.infer<typeof author>

const kind = z.string().regex(KIND, KIND_RULE)
export const ownKind = kind.refine(isOwnKind, 'this kind is that of the chat')

export const entryData = z.unknown().superRefine((value, context) => {
  const problem = dataProblem(value)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: dataProblems[problem] })
})

/** A message of the chat that is to be appended to a room's log. */
const chatDraft = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), id: messageId, from: author, text: z.string() }),
  z.strictObject({
    kind: z.literal('edit'),
    id: messageId,
    from: author,
    target: sequence,
    text: z.string(),
  }),
  z.strictObject({ kind: z.literal('remove'), id: messageId, from: author, target: sequence }),
])

/** An entry of an application's own kind. */
export const ownDraft = z.strictObject({
  kind: ownKind,
  id: messageId,
  from: author,
  data: entryData.optional(),
})

export const messageDraft = z.union([chatDraft, ownDraft])
export type MessageDraft = z.infer<typeof messageDraft>

/**
 * An entry of a room's log, and the payload of the `message` event.
 * Kinds of the chat are `text`, `edit` and `remove`; others are those of applications (or of later versions), and
 * have `data` in place of a text. `text` is missing in a removal, and in entries that a removal has blanked.
 * `unreadable` takes the place of an entry whose stored form is damaged or not signed as it should be; it has no
 * effect.
 */
export const logEntry = z.object({
  room: roomName,
  seq: z.int().min(1),
  id: messageId,
  kind,
  from: author,
  text: z.string().optional(),
  target: sequence.optional(),
  data: entryData.optional(),
  /** Unix milliseconds by the log's clock. Does not decrease within a room, except where that clock was put right. */
  at: z.int(),
})
export type LogEntry = z.infer<typeof logEntry>

export const appendResult = z.object({ seq: z.int().min(1), at: z.int(), duplicate: z.boolean() })
export type AppendResult = z.infer<typeof appendResult>
