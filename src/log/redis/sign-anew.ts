/**
 * Signs the stored messages of all rooms with the first secret, so that former secrets are no longer needed.
 * Hosts may run. Works in small steps, and changes nothing but signatures.
 */
import type { RedisConnection } from '../../redis/connection.ts'
import { entriesChannel } from '../../redis/names.ts'
import type { SigningKeys } from '../../redis/signing.ts'
import { scanRooms } from './key-scan.ts'
import { type EntryChange, RoomStore } from './room-store.ts'
import { EntryCodec } from './stored-entry.ts'

const BATCH = { entries: 500, bytes: 4_194_304 }

export interface SignAnewOptions {
  connection: RedisConnection
  cluster: string
  /** The first secret signs. An entry that none of them verifies is left as it is. */
  keys: SigningKeys
  /** Whether entries without a signature are signed too. */
  acceptUnsigned: boolean
  onProgress: (counts: Readonly<SignCounts>) => void
}

export interface SignCounts {
  rooms: number
  entries: number
  signed: number
  /** Entries that were left as they are, because no secret verifies them or they are damaged. */
  unreadable: number
}

/** @returns the counts, and the rooms with unreadable entries */
export async function signAnew(
  options: SignAnewOptions,
): Promise<SignCounts & { unreadableRooms: string[] }> {
  const counts: SignCounts = { rooms: 0, entries: 0, signed: 0, unreadable: 0 }
  const unreadableRooms: string[] = []
  const seen = new Set<string>()
  const signer = new RoomSigner(options)
  for await (const names of scanRooms(options.connection, options.cluster)) {
    for (const room of names) {
      if (seen.has(room)) continue
      seen.add(room)
      const before = counts.unreadable
      await signer.sign(room, counts)
      if (counts.unreadable > before) unreadableRooms.push(room)
    }
  }
  return { ...counts, unreadableRooms }
}

class RoomSigner {
  readonly #options: SignAnewOptions
  readonly #store: RoomStore
  readonly #codec: EntryCodec

  constructor(options: SignAnewOptions) {
    const { connection, cluster, keys } = options
    this.#options = options
    this.#store = new RoomStore(connection, cluster)
    this.#codec = new EntryCodec(keys, (room) => entriesChannel(cluster, room))
  }

  async sign(room: string, counts: SignCounts): Promise<void> {
    let after = 0
    for (let more = true; more; ) {
      const page = await this.#store.read(room, { after, limit: BATCH.entries }, BATCH, null)
      const { changes, unreadable } = this.#changesOf(room, page.values)
      const replaced = changes.length === 0 ? 0 : await this.#store.replace(room, changes)
      // A text was removed or trimmed since it was read.
      if (replaced < changes.length) continue
      counts.entries += page.values.length
      counts.signed += replaced
      counts.unreadable += unreadable
      this.#options.onProgress(counts)
      after = page.values.at(-1)?.seq ?? after
      more = page.more
    }
    counts.rooms += 1
  }

  #changesOf(
    room: string,
    values: readonly { seq: number; value: Buffer | null }[],
  ): { changes: EntryChange[]; unreadable: number } {
    const changes: EntryChange[] = []
    let unreadable = 0
    for (const { seq, value } of values) {
      const entry = this.#codec.decodeStored(room, seq, value, this.#options.acceptUnsigned)
      const to =
        value === null || typeof entry === 'string' ? undefined : this.#codec.signedAnew(room, entry, value)
      if (value === null || to === undefined) unreadable += 1
      else if (!to.equals(value)) changes.push({ seq, from: value, to })
    }
    return { changes, unreadable }
  }
}
