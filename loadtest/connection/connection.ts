/** One client's connection to a Socket.IO server, as the fleet sees it: the lean one, the stock one, and a plain WebSocket look alike. */
import type { Reading, Transport } from '../model/plan.ts'

export interface ConnectionOptions {
  /** As socket.io-client takes it: a path is the name of the namespace. A plain WebSocket is opened at exactly this address. */
  url: string
  transport: Transport
  /** Loopback address to connect from. */
  localAddress?: string
  /** Sent with CONNECT. */
  auth: Readonly<Record<string, unknown>>
  reads: Reading
}

export interface ConnectionEvents {
  /** The namespace is connected; again after each reconnect. */
  onConnect(): void
  /** An event of the server. */
  onEvent(event: string, payload: unknown): void
  /** The connection has ended, whoever ended it (`reason` as socket.io-client names it). Not after `close()`. */
  onDisconnect(reason: string): void
  /**
   * An attempt to connect failed; the next one follows by itself.
   * @param reason one of few words, fit to be counted by: `websocket error: ECONNREFUSED`, `timeout`, or what the server refused
   *   with (its `data.code` where there is one, else its message)
   */
  onConnectError(reason: string): void
}

/** Comes back by itself until it is closed, with Socket.IO's default delays (1 s to 5 s, ± 50 %) unless the server says `draining`. */
export interface Connection {
  readonly connected: boolean
  /** What it talks over now; undefined while it is not connected. */
  readonly transport: 'polling' | 'websocket' | undefined
  connect(): void
  /**
   * @returns the ack's first argument
   * @throws {RequestFailed} when it is not connected, the connection ends before the ack, or `timeoutMs` pass
   */
  request(event: string, payload: unknown, timeoutMs: number): Promise<unknown>
  /**
   * From now on takes no more from its socket than `reads` allows; to be called again after each reconnect, once all is joined.
   * It hears no pings then either: after ping interval and time-out the connection ends as `ping timeout`, on both sides.
   */
  throttle(): void
  /** Destroys the connection without a goodbye, as a network that is cut does; comes back after `offlineMs` (then with no more delay). */
  cut(offlineMs: number): void
  /** Leaves in order and comes back at once. Without effect while it is not connected: it is on its way then. */
  cycle(): void
  /** For good. */
  close(): void
}

export class RequestFailed extends Error {
  readonly reason: 'offline' | 'disconnect' | 'timeout'

  constructor(reason: RequestFailed['reason']) {
    super(reason)
    this.reason = reason
  }
}
