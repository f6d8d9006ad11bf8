/** The options of a client and their defaults. */
import type { BackOff } from './connection/back-off.ts'
import { type Clock, systemClock } from './connection/clock.ts'
import type { AuthSource, SocketSettings } from './connection/connection.ts'
import type { RoomBounds } from './room/room-context.ts'
import type { OutboxBounds } from './sending/outbox.ts'
import { memoryStorage, type PendingStorage } from './sending/storage.ts'

export interface ChatOptions {
  /**
   * `http://localhost:3000`, or with the path below which a proxy serves it: `https://example.org/chat/`.
   * Defaults to the page's own origin in a browser.
   */
  url?: string
  /** Of Socket.IO, where an application mounts the chat at one; default `/`. */
  namespace?: string
  /** The user's credentials. A function is called at each connection. */
  auth: AuthSource
  /** Keeps unsent messages beyond the life of the page or the process. Default: in memory. */
  storage?: PendingStorage
  /** Messages that a room shows at first, at most 200; default 50. */
  firstPage?: number
  /** Log entries that a room keeps in memory; default 1,000. `loadOlder` fetches older ones again. */
  windowMax?: number
  /** Log entries that a room keeps in memory after older ones were loaded; default 20,000. */
  loadedMax?: number
  /** Unsent messages, at most; default 500. */
  pendingMax?: number
  /** Bytes of all unsent messages, at most; default 2 MiB. Each counts 3 per character plus 256. */
  pendingMaxBytes?: number
  /**
   * Messages of one room that may be in flight at once; default 1, which guarantees the order of writing.
   * With more, a message that the server refuses for now can be overtaken by later ones.
   */
  inFlight?: number
  /** Timeout of one attempt of a request; default 10 s. */
  ackTimeoutMs?: number
  /** Timeout of `rooms`, `history` and the like over all attempts; default 30 s. */
  requestTimeoutMs?: number
  /** Largest delay before the first retry; default 500 ms. Doubles with each failure up to `retryMaxMs`. */
  retryBaseMs?: number
  /** Default 30 s. */
  retryMaxMs?: number
  /** Further options for socket.io-client. */
  socket?: SocketSettings
  clock?: Clock
  /** In [0, 1). */
  random?: () => number
}

export interface Settings extends OutboxBounds, RoomBounds {
  storage: PendingStorage
  ackTimeoutMs: number
  requestTimeoutMs: number
  backOff: BackOff
  clock: Clock
  /** The author's name until the server has reported the user. */
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
    name: typeof auth === 'object' && 'name' in auth && typeof auth.name === 'string' ? auth.name : '',
  }
}
