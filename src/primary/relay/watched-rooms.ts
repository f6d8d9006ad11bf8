/**
 * Rooms whose log entries this host follows. Watches a room at the first interest and retries while the store
 * is away. `onLate` reports that entries may have been missed before a late start.
 */
import { abortableDelay } from '../../core/delay.ts'
import type { RoomLog } from '../../log/room-log.ts'
import type { RoomInterests } from './host-subscriptions.ts'

const RETRY_MS = 1_000

export interface WatchedRoomsOptions {
  log: Pick<RoomLog, 'watch' | 'unwatch'>
  /** The room is watched only now, some time after it was requested. */
  onLate: (room: string) => void
}

export class WatchedRooms implements RoomInterests {
  readonly #options: WatchedRoomsOptions
  readonly #wanted = new Map<string, AbortController>()

  constructor(options: WatchedRoomsOptions) {
    this.#options = options
  }

  want(room: string): Promise<void> {
    const withdrawn = new AbortController()
    this.#wanted.get(room)?.abort()
    this.#wanted.set(room, withdrawn)
    return this.#watch(room, withdrawn.signal)
  }

  release(room: string): void {
    this.#wanted.get(room)?.abort()
    this.#wanted.delete(room)
  }

  close(): void {
    for (const room of this.#wanted.keys()) this.release(room)
  }

  async #watch(room: string, withdrawn: AbortSignal): Promise<void> {
    const { log, onLate } = this.#options
    for (let tries = 0; !withdrawn.aborted; tries += 1) {
      if (tries > 0) await abortableDelay(RETRY_MS, withdrawn)
      if (withdrawn.aborted || !(await tryWatch(log, room))) continue
      if (withdrawn.aborted) log.unwatch(room)
      else withdrawn.addEventListener('abort', () => log.unwatch(room))
      if (tries > 0) onLate(room)
      return
    }
  }
}

/** The log counts and logs its failures itself. Here a failure only means a retry. */
async function tryWatch(log: Pick<RoomLog, 'watch'>, room: string): Promise<boolean> {
  return log.watch(room).then(
    () => true,
    () => false,
  )
}
