/**
 * The scripts of the room log as functions, with checked answers. Knows keys and scripts, but neither the
 * watched rooms nor the meaning of an entry.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { RedisConnection } from '../../redis/connection.ts'
import { entriesChannel, roomKey, userKey } from '../../redis/names.ts'
import { runScript, type Script, type ScriptArgument } from '../../redis/script.ts'
import type { HeadInfo, ReadRange } from '../room-log.ts'
import { appendCodes, type RefusalCode, refusal } from './codes.ts'
import { logScripts } from './lua.ts'
import { transferScripts } from './lua-transfer.ts'
import type { EncodedDraft } from './stored-entry.ts'

/** The newest entry of a room that a host knows, with the first bytes of its stored form. */
export interface KnownPosition {
  epoch: string
  seq: number
  proof: string
}

export interface RetentionOptions {
  /** What the clock of Redis should show, Unix milliseconds; `undefined` if it is not known. */
  expectedMs: number | undefined
  /** If it shows a time that differs by more, nothing is trimmed by age. */
  mostDriftMs: number
  /** `Infinity` for no limit. */
  keepMessages: number
  keepMs: number
}

export interface Appended {
  duplicate: boolean
  epoch: string
  head: number
  seq: number
  at: number
  trimmed: number
}

export interface RawPage extends HeadInfo {
  more: boolean
  /** Ascending; `null` for a missing entry. */
  values: { seq: number; value: Buffer | null }[]
}

export interface PageBounds {
  entries: number
  bytes: number
}

const text = z.instanceof(Buffer).transform((bytes) => bytes.toString())
const whole = z.int()
const bytesOrNothing = z.instanceof(Buffer).nullable()
const appendAnswer = z.union([
  z.tuple([text.pipe(z.enum(['stored', 'duplicate'])), text, whole, whole, whole, whole]),
  z.tuple([text.pipe(z.enum(appendCodes)), text, whole]),
])
const positionAnswer = z.tuple([text, whole, whole])
const readAnswer = z.tuple([text, whole, whole, whole, whole, whole], bytesOrNothing)
const pair = z.tuple([whole, whole])
const triple = z.tuple([whole, whole, whole])

type RoomKeys = [string, ...string[]]

export class RoomStore {
  readonly #connection: RedisConnection
  readonly #cluster: string

  constructor(connection: RedisConnection, cluster: string) {
    this.#connection = connection
    this.#cluster = cluster
  }

  /** Rejects with the error of the script's refusal code. */
  async append(
    room: string,
    draft: EncodedDraft & DraftTarget,
    retention: RetentionOptions,
    known: KnownPosition | null,
  ): Promise<Appended> {
    const args = [
      ...checkEpochArguments(known),
      ...retentionArguments(retention),
      draft.idField,
      draft.hash,
      draft.kind,
      draft.target ?? '',
      draft.author,
      draft.body,
      draft.text,
      draft.data,
    ]
    const answer = appendAnswer.parse(await this.#run(logScripts.append, this.#keys(room), args))
    const [code, epoch, head, seq, at, trimmed] = answer
    if (seq === undefined || at === undefined || trimmed === undefined) throw refusal(code as RefusalCode)
    return { duplicate: code === 'duplicate', epoch, head, seq, at, trimmed }
  }

  async position(room: string, known: KnownPosition | null): Promise<HeadInfo> {
    const answer = await this.#run(logScripts.position, this.#keys(room), checkEpochArguments(known))
    const [epoch, head, first] = positionAnswer.parse(answer)
    return { epoch, head, first }
  }

  async read(
    room: string,
    range: ReadRange,
    bounds: PageBounds,
    known: KnownPosition | null,
  ): Promise<RawPage> {
    const wanted = [...rangeArguments(range), Math.min(range.limit, bounds.entries), bounds.bytes]
    const answer = await this.#run(logScripts.read, this.#keys(room), [
      ...checkEpochArguments(known),
      ...wanted,
    ])
    const [epoch, head, first, more, from, step, ...found] = readAnswer.parse(answer)
    const values = found.map((value, index) => ({ seq: from + index * step, value }))
    return { epoch, head, first, more: more === 1, values: step === 1 ? values : values.toReversed() }
  }

  async sweep(
    room: string,
    retention: RetentionOptions,
    budget: number,
  ): Promise<{ trimmed: number; more: boolean }> {
    const args = [...retentionArguments(retention), budget]
    const [trimmed, more] = pair.parse(await this.#run(logScripts.sweep, this.#keys(room), args))
    return { trimmed, more: more === 1 }
  }

  /** Replaces entries that are still as they were read. @returns how many were replaced */
  async replace(room: string, changes: readonly EntryChange[]): Promise<number> {
    const [, entries] = this.#keys(room)
    const args = changes.flatMap(({ seq, from, to }) => [seq, from, to])
    return whole.parse(await this.#run(transferScripts.replace, [entries ?? ''], args))
  }

  /** Unread texts of a reader whose marker is `read`. */
  async unread(room: string, read: number): Promise<{ head: number; read: number; unread: number }> {
    const [meta, entries, , , removed] = this.#keys(room)
    const answer = triple.parse(
      await this.#run(logScripts.unread, [meta, entries ?? '', removed ?? ''], [read]),
    )
    return { head: answer[0], read: answer[1], unread: answer[2] }
  }

  /**
   * Two round trips more for a new room of the user: its head may lie in another part of a Redis Cluster.
   * @returns false if the user has too many rooms
   */
  async track(userId: string, room: string, roomsPerUser: number): Promise<boolean> {
    const run = async (marker: number | '') =>
      text.parse(await this.#run(logScripts.track, [this.#userKey(userId)], [room, roomsPerUser, marker]))
    const answer = await run('')
    return (answer === 'new' ? await run((await this.unread(room, 0)).head) : answer) === 'ok'
  }

  /**
   * Never moves the marker back, unless it equals `lost`, the marker of a lost log.
   * @returns the marker; -1 if the room is not one of the user's own
   */
  async mark(userId: string, room: string, seq: number, lost?: number): Promise<number> {
    const args = [room, seq, lost ?? '']
    return whole.parse(await this.#run(logScripts.mark, [this.#userKey(userId)], args))
  }

  async forget(userId: string, room: string): Promise<void> {
    await this.#connection.run((commands) => commands.zrem(this.#userKey(userId), room))
  }

  /** The user's own rooms with their markers, sorted by name. */
  async markers(userId: string): Promise<[room: string, read: number][]> {
    const key = this.#userKey(userId)
    const flat = await this.#connection.run((commands) => commands.zrange(key, '0', '-1', 'WITHSCORES'))
    const rooms = flat.flatMap((room, index): [string, number][] =>
      index % 2 === 0 ? [[room, Number(flat[index + 1] ?? 0)]] : [],
    )
    return rooms.toSorted(([a], [b]) => (a < b ? -1 : 1))
  }

  #run(script: Script, keys: RoomKeys, args: readonly ScriptArgument[]): Promise<unknown> {
    return this.#connection.run((commands) => runScript(commands, script, { keys, args }))
  }

  /** In the order of lua.ts. */
  #keys(room: string): RoomKeys {
    const key = (part: string) => roomKey(this.#cluster, room, part)
    return [
      key('meta'),
      key('log'),
      key('ids'),
      key('edits'),
      key('removed'),
      entriesChannel(this.#cluster, room),
    ]
  }

  #userKey(userId: string): string {
    return userRoomsKey(this.#cluster, userId)
  }
}

/** Escaped as in JSON: not every string is valid UTF-8, and no two users may share a key. */
export const userRoomsKey = (cluster: string, userId: string) =>
  userKey(cluster, JSON.stringify(userId).slice(1, -1), 'rooms')

export interface EntryChange {
  seq: number
  from: Buffer
  to: Buffer
}

interface DraftTarget {
  kind: string
  target?: number | undefined
}

function checkEpochArguments(known: KnownPosition | null): ScriptArgument[] {
  return [randomUUID(), known?.epoch ?? '', known?.seq ?? 0, known?.proof ?? '']
}

function retentionArguments(options: RetentionOptions): ScriptArgument[] {
  const { expectedMs, mostDriftMs, keepMessages, keepMs } = options
  const limits = [keepMessages, keepMs].map((most) => (Number.isFinite(most) ? most : -1))
  return [expectedMs ?? '', mostDriftMs, ...limits]
}

function rangeArguments(range: ReadRange): ScriptArgument[] {
  if ('after' in range) return ['after', range.after]
  return 'before' in range ? ['before', range.before] : ['newest', 0]
}
