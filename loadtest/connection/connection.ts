/** One client's connection to a Socket.IO server, as the fleet sees it: the lean one, the stock one, and a plain WebSocket look alike. */
import type { Reading, Transport } from '../plan.ts'

export interface ConnectionOptions {
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
  /** An attempt to connect failed; the next one follows by itself. */
  onConnectError(reason: string): void
}

/** Comes back by itself until it is closed, with Socket.IO's default delays (1 s to 5 s, ± 50 %) unless the server says `draining`. */
export interface Connection {
  readonly connected: boolean
  connect(): void
  /**
   * @returns the ack's first argument
   * @throws {RequestFailed} when it is not connected, the connection ends before the ack, or `timeoutMs` pass
   */
  request(event: string, payload: unknown, timeoutMs: number): Promise<unknown>
  /** Destroys the connection without a goodbye, as a network that is cut does; comes back after `offlineMs` (then with no more delay). */
  cut(offlineMs: number): void
  /** Leaves in order and comes back at once. */
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
