/**
 * Imports rooms into the room log in Redis, also while hosts use it. A room is written under temporary keys,
 * which expire after an hour, and becomes the real room in one step.
 */
import { z } from 'zod'
import { entriesChannel, roomKey } from '../../redis/names.ts'
import { runScript } from '../../redis/script.ts'
import { transferScripts } from '../redis/lua-transfer.ts'
import { userRoomsKey } from '../redis/room-store.ts'
import { EntryCodec, encodedData, idField } from '../redis/stored-entry.ts'
import type { EntryLine, LogTarget, RoomImport, RoomLine } from './lines.ts'
import type { RedisTransferOptions } from './redis-source.ts'

const ABANDONED_AFTER_SECONDS = 3_600
const PARTS = ['log', 'ids', 'edits', 'removed'] as const
type Part = (typeof PARTS)[number]

export function openRedisTarget(options: RedisTransferOptions): LogTarget {
  const { connection, cluster } = options
  return {
    begin: async (line) => {
      const meta = roomKey(cluster, line.room, 'meta')
      const head = await connection.run((commands) => commands.hget(meta, 'head'))
      if (Number(head ?? 0) > 0) return null
      const room = new RedisRoomImport(options, line)
      await room.abandon()
      return room
    },
    putUser: async ({ user, rooms }) => {
      const marks = rooms.flatMap(({ room, read }) => [read, room])
      await connection.run((commands) => commands.zadd(userRoomsKey(cluster, user), 'GT', ...marks))
    },
    close: async () => connection.close(),
  }
}

class RedisRoomImport implements RoomImport {
  readonly #options: RedisTransferOptions
  readonly #line: RoomLine
  readonly #codec: EntryCodec

  constructor(options: RedisTransferOptions, line: RoomLine) {
    this.#options = options
    this.#line = line
    this.#codec = new EntryCodec(options.keys, (room) => entriesChannel(options.cluster, room))
  }

  async put(lines: readonly EntryLine[]): Promise<void> {
    if (lines.length === 0) return
    const entries = lines.flatMap((line) => [line.seq, this.#stored(line)])
    const ids = lines.flatMap(({ seq, id, from }) => [idField(from.id, id), seq])
    const edits = lines.flatMap(({ kind, seq, target = 0 }) => (kind === 'edit' ? [target, seq] : []))
    const removed = lines.flatMap(({ kind, seq, text }) =>
      kind === 'text' && text === undefined ? [seq, seq] : [],
    )
    await this.#options.connection.run(async (commands) => {
      const written = [commands.hset(this.#key('log'), ...entries), commands.hset(this.#key('ids'), ...ids)]
      if (edits.length > 0) written.push(commands.zadd(this.#key('edits'), ...edits))
      if (removed.length > 0) written.push(commands.zadd(this.#key('removed'), ...removed))
      for (const part of PARTS) written.push(commands.expire(this.#key(part), ABANDONED_AFTER_SECONDS))
      await Promise.all(written)
    })
  }

  async finish(): Promise<void> {
    const { cluster, connection } = this.#options
    const { room, epoch, head, first, at, texts, trimmedTexts } = this.#line
    const part = (name: string) => roomKey(cluster, room, name)
    const keys: [string, ...string[]] = [
      part('meta'),
      ...PARTS.map(part),
      entriesChannel(cluster, room),
      ...PARTS.map((name) => this.#key(name)),
    ]
    const args = [epoch, head, first, at, texts, trimmedTexts]
    const answer = await connection.run((commands) =>
      runScript(commands, transferScripts.importRoom, { keys, args }),
    )
    const outcome = z.int().parse(answer)
    if (outcome === 0) throw new Error(`room ${room} has got entries while it was imported`)
    // Redis drops them after an hour, or when its clock jumps.
    if (outcome !== 1)
      throw new Error(`entries of room ${room} were lost while it was imported: import it again`)
  }

  async abandon(): Promise<void> {
    const keys = PARTS.map((part) => this.#key(part))
    await this.#options.connection.run((commands) => commands.unlink(...keys))
  }

  #key(part: Part): string {
    return roomKey(this.#options.cluster, this.#line.room, `import-${part}`)
  }

  #stored({ seq, at, id, kind, from, target, digest, texts, text, data }: EntryLine): string {
    const body = this.#codec.body(this.#line.room, { id, kind, from, target, hash: digest })
    const textPart = text === undefined ? '' : `,"text":${JSON.stringify(text)}`
    const dataPart = data === undefined ? '' : `,"data":${encodedData(data)}`
    return `{"seq":${seq},"at":${at},${body},"n":${texts}${textPart}${dataPart}}`
  }
}
