/** The delivery records grouped by room: its sends by key, and what each member received. Judges nothing. */
import type { DeliveryRecords, MemberRecord, Sends } from '../model/delivery-records.ts'

/** Sends to one room: columns of the same length, by ascending key. */
export interface RoomSends {
  keys: Float64Array
  sentAt: Float64Array
  /** NaN: never. */
  ackedAt: Float64Array
  /** NaN: none. */
  seqs: Float64Array
  refused: Uint8Array
}

/**
 * One client in one room: a record for each time it was a member and, in `chat`, for each log that the room
 * had.
 */
export interface RoomMember {
  client: number
  /** Ordered by `joinedAt`. */
  records: readonly MemberRecord[]
}

export interface RoomRecords {
  room: string
  sends: RoomSends
  members: readonly RoomMember[]
}

/** Rows of one part's sends. */
interface Rows {
  sends: Sends
  rows: number[]
}

export function roomsOf({ parts }: DeliveryRecords): RoomRecords[] {
  const rows = new Map<string, Rows[]>()
  const records = new Map<string, MemberRecord[]>()
  for (const part of parts) {
    addRows(rows, part.sends)
    for (const record of part.members) listed(records, record.room).push(record)
  }
  return [...new Set([...records.keys(), ...rows.keys()])].map((room) => ({
    room,
    sends: sendsFrom(rows.get(room) ?? []),
    members: membersFrom(records.get(room) ?? []),
  }))
}

/** @returns the index of `key` in `keys`, which ascend; -1: not there */
export function indexIn(keys: Float64Array, key: number): number {
  const index = lowerBound(keys, key)
  return keys[index] === key ? index : -1
}

/** @returns how many of `ascending` are less than `value` */
export function lowerBound(ascending: Float64Array, value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] ?? Number.NaN) < value) low = middle + 1
    else high = middle
  }
  return low
}

function listed<Key, Value>(lists: Map<Key, Value[]>, key: Key): Value[] {
  const known = lists.get(key)
  if (known !== undefined) return known
  const list: Value[] = []
  lists.set(key, list)
  return list
}

function addRows(rooms: Map<string, Rows[]>, sends: Sends): void {
  const rows = new Map<string, number[]>()
  for (let row = 0; row < sends.rooms.length; row += 1) listed(rows, sends.rooms[row] ?? '').push(row)
  for (const [room, ofRoom] of rows) listed(rooms, room).push({ sends, rows: ofRoom })
}

function sendsFrom(parts: readonly Rows[]): RoomSends {
  const keys = Float64Array.from(parts.flatMap(({ sends, rows }) => rows.map((row) => sends.keys[row] ?? 0)))
  keys.sort()
  const columns: RoomSends = {
    keys,
    sentAt: new Float64Array(keys.length),
    ackedAt: new Float64Array(keys.length),
    seqs: new Float64Array(keys.length),
    refused: new Uint8Array(keys.length),
  }
  for (const { sends, rows } of parts) for (const row of rows) copyRow(sends, row, columns)
  return columns
}

function copyRow(sends: Sends, row: number, columns: RoomSends): void {
  const index = indexIn(columns.keys, sends.keys[row] ?? 0)
  columns.sentAt[index] = sends.sentAt[row] ?? Number.NaN
  columns.ackedAt[index] = sends.ackedAt[row] ?? Number.NaN
  columns.seqs[index] = sends.seqs[row] ?? Number.NaN
  columns.refused[index] = sends.refused[row] ?? 0
}

function membersFrom(records: readonly MemberRecord[]): RoomMember[] {
  const byClient = new Map<number, MemberRecord[]>()
  for (const record of records) listed(byClient, record.client).push(record)
  return [...byClient].map(([client, ofClient]) => ({
    client,
    records: ofClient.toSorted((one, other) => one.joinedAt - other.joinedAt),
  }))
}
