/** What a client can be told, and what it does unless it is told. */
import type { BackOff } from './connection/back-off.ts'
import { type Clock, systemClock } from './connection/clock.ts'
import type { AuthSource, SocketSettings } from './connection/connection.ts'
import type { RoomBounds } from './room/room-context.ts'
import type { OutboxBounds } from './sending/outbox.ts'
import { memoryStorage, type PendingStorage } from './sending/storage.ts'

export interface ChatOptions {
  /** `http://localhost:3000`; in a browser the page's own origin when left out. */
  url?: string
  /** Who this is; a function is asked at each connection. */
  auth: AuthSource
  /** Where sends wait that must outlive the page or the process. In memory when left out. */
  storage?: PendingStorage
  /** Messages that a room is first shown with, at most 200; default 50. */
  firstPage?: number
  /** Log entries that a room keeps in memory; default 1,000. Older ones are fetched again by `loadOlder`. */
  windowMax?: number
  /** Log entries that a room keeps in memory when older ones were loaded; default 20,000. */
  loadedMax?: number
  /** Sends that may wait; default 500. */
  pendingMax?: number
  /** Bytes that they may take together, each counted with 3 a character and 256 more; default 2 MiB. */
  pendingMaxBytes?: number
  /**
   * Sends of one room under way at once; default 1: what was written first stands first, whatever is refused or lost in
   * between. With more, one that the server refuses for now can be overtaken by those behind it.
   */
  inFlight?: number
  /** How long a request waits for its answer before it is asked again; default 10 s. */
  ackTimeoutMs?: number
  /** How long `rooms`, `history` and the like try in all; default 30 s. */
  requestTimeoutMs?: number
  /** Delay before the first repetition at most; default 500 ms. It doubles from try to try up to `retryMaxMs`. */
  retryBaseMs?: number
  /** Default 30 s. */
  retryMaxMs?: number
  /** Whatever else socket.io-client is to be told. */
  socket?: SocketSettings
  clock?: Clock
  /** From 0 up to 1, without it. */
  random?: () => number
}

export interface Settings extends OutboxBounds, RoomBounds {
  storage: PendingStorage
  ackTimeoutMs: number
  requestTimeoutMs: number
  backOff: BackOff
  clock: Clock
  /** Shown as the author's until the server says who this is. */
  name: string
}

const PAGE_MAX = 200

export function settingsOf(options: ChatOptions): Settings {
  const { auth, random = Math.random, retryBaseMs = 500, retryMaxMs = 30_000 } = options
  const windowMax = Math.max(1, options.windowMax ?? 1_000)
  return {
    storage: options.storage ?? memoryStorage(),
    firstPage: Math.min(PAGE_MAX, Math.max(1, options.firstPage ?? 50)),
    windowMax,
    loadedMax: Math.max(windowMax, options.loadedMax ?? 20_000),
    pendingMax: options.pendingMax ?? 500,
    pendingMaxBytes: options.pendingMaxBytes ?? 2_097_152,
    inFlight: Math.max(1, options.inFlight ?? 1),
    ackTimeoutMs: options.ackTimeoutMs ?? 10_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    backOff: { baseMs: retryBaseMs, maxMs: retryMaxMs, random },
    clock: options.clock ?? systemClock,
    name: typeof auth === 'object' && 'name' in auth ? auth.name : '',
  }
}
