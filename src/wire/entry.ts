/** What a room's log holds and what is handed to it: the shapes, and their schemas for the edges. */
import { z } from 'zod'

export const roomName = z
  .string()
  .regex(/^[a-zA-Z0-9._:-]{1,64}$/, 'a room is 1-64 characters of a-z A-Z 0-9 . _ : -')
export const messageId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'a message id is 1-64 characters of A-Z a-z 0-9 _ -')
export const sequence = z.int().min(0)

export const author = z.object({ id: z.string().min(1).max(64), name: z.string().min(1).max(64) })
export type Author = z.infer<typeof author>

/** A message on its way into a room's log. */
export const messageDraft = z.discriminatedUnion('kind', [
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
export type MessageDraft = z.infer<typeof messageDraft>

/**
 * An entry of a room's log, which is also the payload of the `message` event.
 * `text` is absent in a removal, and in whatever a removal has blanked.
 */
export const logEntry = z.object({
  room: roomName,
  seq: z.int().min(1),
  id: messageId,
  kind: z.enum(['text', 'edit', 'remove']),
  from: author,
  text: z.string().optional(),
  target: sequence.optional(),
  /** Unix milliseconds, the log's clock; never goes back within a room. */
  at: z.int(),
})
export type LogEntry = z.infer<typeof logEntry>

export const appendResult = z.object({ seq: z.int().min(1), at: z.int(), duplicate: z.boolean() })
export type AppendResult = z.infer<typeof appendResult>
