/**
 * Format of an exported log, newline-delimited JSON: a header; each room followed by its entries; the users
 * with their own rooms; an end line that proves that the file is complete. Contains everything that clients
 * need to resume: epochs, sequence numbers, times, message ids, and the digests that distinguish a retry from
 * another message.
 */
import { z } from 'zod'
import { logEntry, roomName, sequence, storedUserId } from '../../wire/entry.ts'

export const FORMAT_VERSION = 1

const count = z.int().min(0)
const header = z.strictObject({
  type: z.literal('header'),
  format: z.literal('rookery-log'),
  version: z.literal(FORMAT_VERSION, `this Rookery reads version ${FORMAT_VERSION} of the format`),
  exportedAt: z.string().max(64),
  cluster: z.string().max(64),
})
const room = z.strictObject({
  type: z.literal('room'),
  room: roomName,
  epoch: z.string().min(1).max(64),
  head: sequence,
  /** Oldest kept entry; `head + 1` if there is none. */
  first: z.int().min(1),
  /** Time of the newest entry, kept or not. */
  at: z.int().min(0),
  /** Texts ever appended, and those of them that were trimmed. */
  texts: count,
  trimmedTexts: count,
})
const entry = logEntry.omit({ room: true }).extend({
  type: z.literal('entry'),
  /** Texts of the room up to and including this entry. */
  texts: count,
  digest: z.string().max(64),
})
const user = z.strictObject({
  type: z.literal('user'),
  user: storedUserId,
  rooms: z.array(z.strictObject({ room: roomName, read: sequence })).max(100_000),
})
const end = z.strictObject({ type: z.literal('end'), rooms: count, entries: count, users: count })

export const exportLine = z.discriminatedUnion('type', [header, room, entry, user, end])

export type ExportLine = z.infer<typeof exportLine>
export type HeaderLine = z.infer<typeof header>
export type RoomLine = z.infer<typeof room>
export type EntryLine = z.infer<typeof entry>
export type UserLine = z.infer<typeof user>

/** A log that can be exported. */
export interface LogSource {
  rooms(): AsyncIterable<ExportedRoom>
  users(): AsyncIterable<UserLine>
  close(): Promise<void>
}

export interface ExportedRoom {
  line: RoomLine
  /** From `first` to `head`, in batches. */
  entries(): AsyncIterable<EntryLine[]>
}

/** A log that rooms can be imported into. */
export interface LogTarget {
  /** `null` if the room has entries already. Nothing is visible until `finish`. */
  begin(room: RoomLine): Promise<RoomImport | null>
  /** Adds rooms to the user's own rooms; a marker never moves back. */
  putUser(user: UserLine): Promise<void>
  close(): Promise<void>
}

export interface RoomImport {
  put(entries: readonly EntryLine[]): Promise<void>
  finish(): Promise<void>
  /** Removes the written entries. */
  abandon(): Promise<void>
}

export interface TransferCounts {
  rooms: number
  entries: number
  users: number
}
