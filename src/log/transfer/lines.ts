/**
 * The lines of an exported log, newline-delimited JSON: a header; each room, followed by its entries; the users with their own
 * rooms; an end that tells a whole file from one that was cut off. Everything by which clients resume is in it: epochs, sequence
 * numbers, times, message ids and the digests that tell a retry from another message.
 */
import { z } from 'zod'
import { logEntry, roomName, sequence } from '../../wire/entry.ts'

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
  /** Oldest entry that is kept; `head + 1` when none is. */
  first: z.int().min(1),
  /** Of the newest entry, kept or not. */
  at: z.int().min(0),
  /** Texts ever appended, and those of them that are not kept any more. */
  texts: count,
  trimmedTexts: count,
})
const entry = logEntry.omit({ room: true }).extend({
  type: z.literal('entry'),
  /** Texts of the room up to and with this entry. */
  texts: count,
  digest: z.string().max(64),
})
const user = z.strictObject({
  type: z.literal('user'),
  user: z.string().min(1).max(64),
  rooms: z.array(z.strictObject({ room: roomName, read: sequence })).max(100_000),
})
const end = z.strictObject({ type: z.literal('end'), rooms: count, entries: count, users: count })

export const exportLine = z.discriminatedUnion('type', [header, room, entry, user, end])

export type ExportLine = z.infer<typeof exportLine>
export type HeaderLine = z.infer<typeof header>
export type RoomLine = z.infer<typeof room>
export type EntryLine = z.infer<typeof entry>
export type UserLine = z.infer<typeof user>

/** A log that can be read whole. */
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

/** A log that rooms can be put into. */
export interface LogTarget {
  /** `null` when the room has entries already. Until `finish` nobody sees anything of it. */
  begin(room: RoomLine): Promise<RoomImport | null>
  /** Adds rooms to those of the user; a marker never goes back. */
  putUser(user: UserLine): Promise<void>
  close(): Promise<void>
}

export interface RoomImport {
  put(entries: readonly EntryLine[]): Promise<void>
  finish(): Promise<void>
  /** Takes back what was put. */
  abandon(): Promise<void>
}

export interface TransferCounts {
  rooms: number
  entries: number
  users: number
}
