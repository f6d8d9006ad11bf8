/**
 * Trims old entries, also in rooms without new messages. One host of the cluster at a time: the host that
 * gets the lease goes over all rooms once, in small steps with pauses. Failures are retried in the next
 * round.
 */
import { abortableDelay } from '../../core/delay.ts'
import type { RedisConnection } from '../../redis/connection.ts'
import { clusterKey } from '../../redis/names.ts'
import { scanRooms } from './key-scan.ts'
import type { RetentionOptions, RoomStore } from './room-store.ts'

const ENTRIES_PER_STEP = 500
const PAUSE_MS = 20

export interface RedisSweeperOptions {
  connection: RedisConnection
  store: RoomStore
  cluster: string
  retention: () => RetentionOptions
  intervalMs: number
  onTrimmed: (count: number) => void
  onError: (error: unknown) => void
}

export class RedisSweeper {
  readonly #options: RedisSweeperOptions
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(options: RedisSweeperOptions) {
    this.#options = options
    this.#running = this.#runForever()
  }

  /** Goes over all rooms now. @returns the number of trimmed entries */
  async sweep(): Promise<number> {
    const { connection, cluster } = this.#options
    let trimmed = 0
    for await (const rooms of scanRooms(connection, cluster)) {
      for (const room of rooms) trimmed += await this.#sweepRoom(room)
      await abortableDelay(PAUSE_MS, this.#stop.signal)
      if (this.#stop.signal.aborted) break
    }
    return trimmed
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** A room that cannot be swept does not block others. */
  async #sweepRoom(room: string): Promise<number> {
    const { store, retention, onTrimmed, onError } = this.#options
    let sum = 0
    try {
      for (let more = true; more && !this.#stop.signal.aborted; ) {
        const swept = await store.sweep(room, retention(), ENTRIES_PER_STEP)
        sum += swept.trimmed
        more = swept.more
      }
    } catch (error) {
      onError(error)
    }
    onTrimmed(sum)
    return sum
  }

  async #runForever(): Promise<void> {
    const { intervalMs, onError } = this.#options
    for (;;) {
      await abortableDelay(intervalMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      try {
        if (await this.#getLease()) await this.sweep()
      } catch (error) {
        onError(error)
      }
    }
  }

  async #getLease(): Promise<boolean> {
    const { connection, cluster, intervalMs } = this.#options
    const key = clusterKey(cluster, 'sweep')
    const got = await connection.run((commands) => commands.set(key, '1', 'PX', intervalMs, 'NX'))
    if (got === 'OK') return true
    // A lease from a time when the clock of Redis was wrong would last until that time.
    const leftMs = await connection.run((commands) => commands.pttl(key))
    if (leftMs <= intervalMs) return false
    return (await connection.run((commands) => commands.pexpire(key, intervalMs))) === 1
  }
}
