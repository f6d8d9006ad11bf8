/** Reads the whole room log from Redis, in small steps, so that other work on Redis goes on. */
import type { RedisConnection } from '../../redis/connection.ts'
import { entriesChannel, roomKey } from '../../redis/names.ts'
import type { SigningKeys } from '../../redis/signing.ts'
import { scanRooms, scanUsers } from '../redis/key-scan.ts'
import { RoomStore } from '../redis/room-store.ts'
import { EntryCodec, placeholder, type Refusal } from '../redis/stored-entry.ts'
import type { EntryLine, ExportedRoom, LogSource, RoomLine, UserLine } from './lines.ts'

const BATCH = { entries: 500, bytes: 4_194_304 }

export interface RedisTransferOptions {
  connection: RedisConnection
  cluster: string
  keys?: SigningKeys | undefined
}

export interface RedisSourceOptions extends RedisTransferOptions {
  /** Whether unreadable entries are exported as placeholders. By default they end the export. */
  allowUnreadable?: boolean
}

/** An entry can't be exported: it is damaged, or its signature is missing or of no known secret. */
export class UnreadableEntry extends Error {
  readonly why: Refusal

  constructor(room: string, seq: number, why: Refusal) {
    super(`entry ${seq} of room ${room} is ${why}`)
    this.name = 'UnreadableEntry'
    this.why = why
  }
}

export function openRedisSource(options: RedisSourceOptions): LogSource {
  return {
    rooms: () => rooms(options),
    users: () => users(options),
    close: async () => options.connection.close(),
  }
}

async function* rooms(options: RedisSourceOptions): AsyncGenerator<ExportedRoom> {
  const seen = new Set<string>()
  for await (const names of scanRooms(options.connection, options.cluster)) {
    for (const room of names) {
      if (seen.has(room)) continue
      seen.add(room)
      const exported = await exportRoom(options, room)
      if (exported !== null) yield exported
    }
  }
}

/**
 * `null` for a room without history. The room may grow and be trimmed meanwhile: it is exported up to its
 * current head.
 */
async function exportRoom(options: RedisSourceOptions, room: string): Promise<ExportedRoom | null> {
  const pages = new RoomPages(options, room)
  const meta = await pages.meta()
  if (meta.head === 0) return null
  const page = await pages.read(0)
  if (page.epoch !== meta.epoch) throw lostMeanwhile(room)
  const lines = page.lines.filter(({ seq }) => seq <= meta.head)
  const [oldest] = lines
  const line: RoomLine = {
    type: 'room',
    room,
    ...meta,
    first: Math.min(page.first, meta.head + 1),
    trimmedTexts: oldest === undefined ? meta.texts : oldest.texts - (oldest.kind === 'text' ? 1 : 0),
  }
  return { line, entries: () => entriesOf(pages, line, lines) }
}

const lostMeanwhile = (room: string) => new Error(`room ${room} has lost entries while it was exported`)

async function* entriesOf(
  pages: RoomPages,
  { room, epoch, head, first }: RoomLine,
  begun: EntryLine[],
): AsyncGenerator<EntryLine[]> {
  let next = first
  let lines = begun
  while (next <= head) {
    if (next !== first) {
      const page = await pages.read(next - 1)
      if (page.epoch !== epoch) throw lostMeanwhile(room)
      lines = page.lines
    }
    if (lines[0]?.seq !== next) throw new Error(`room ${room} was trimmed faster than it could be exported`)
    yield lines.filter(({ seq }) => seq <= head)
    next += lines.length
  }
}

class RoomPages {
  readonly #options: RedisSourceOptions
  readonly #store: RoomStore
  readonly #codec: EntryCodec
  readonly #room: string
  #texts = 0

  constructor(options: RedisSourceOptions, room: string) {
    this.#options = options
    this.#store = new RoomStore(options.connection, options.cluster)
    this.#codec = new EntryCodec(options.keys, (name) => entriesChannel(options.cluster, name))
    this.#room = room
  }

  async meta(): Promise<{ epoch: string; head: number; at: number; texts: number }> {
    const { connection, cluster } = this.#options
    const key = roomKey(cluster, this.#room, 'meta')
    const found = await connection.run((commands) => commands.hmget(key, 'epoch', 'head', 'at', 'texts'))
    const [epoch, head, at, texts] = found
    return { epoch: epoch ?? '', head: Number(head), at: Number(at), texts: Number(texts) }
  }

  async read(after: number): Promise<{ epoch: string; head: number; first: number; lines: EntryLine[] }> {
    const { epoch, head, first, values } = await this.#store.read(
      this.#room,
      { after, limit: BATCH.entries },
      BATCH,
      null,
    )
    return { epoch, head, first, lines: values.map(({ seq, value }) => this.#toLine(seq, value)) }
  }

  #toLine(seq: number, value: Buffer | null): EntryLine {
    const stored = this.#codec.decodeStored(this.#room, seq, value)
    if (typeof stored === 'string') {
      if (this.#options.allowUnreadable !== true) throw new UnreadableEntry(this.#room, seq, stored)
      const { room: _, ...hole } = placeholder(this.#room, seq, 0)
      return { type: 'entry', ...hole, texts: this.#texts, digest: '' }
    }
    const { hash, n, sig: _, ...entry } = stored
    this.#texts = n
    return { type: 'entry', ...entry, texts: n, digest: hash }
  }
}

async function* users({ connection, cluster }: RedisTransferOptions): AsyncGenerator<UserLine> {
  const store = new RoomStore(connection, cluster)
  const seen = new Set<string>()
  for await (const names of scanUsers(connection, cluster)) {
    for (const user of names) {
      if (seen.has(user)) continue
      seen.add(user)
      const markers = await store.markers(user)
      if (markers.length === 0) continue
      yield { type: 'user', user, rooms: markers.map(([room, read]) => ({ room, read })) }
    }
  }
}
