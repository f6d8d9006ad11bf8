/**
 * One client's connection to a server. The raw client, the stock client and the plain WebSocket share this
 * interface.
 */
import type { ReadSpeed, Transport } from '../model/plan.ts'

export interface ConnectionOptions {
  /** As for socket.io-client: a path names the namespace. A plain WebSocket opens exactly this address. */
  url: string
  transport: Transport
  /** Loopback address to connect from. */
  localAddress?: string
  /** Sent with CONNECT. */
  auth: Readonly<Record<string, unknown>>
  reads: ReadSpeed
}

export interface ConnectionEvents {
  /** The namespace is connected; also after each reconnect. */
  onConnect(): void
  /** An event from the server. */
  onEvent(event: string, payload: unknown): void
  /**
   * The connection has ended, whichever side ended it (`reason` as in socket.io-client). Not called after
   * `close()`.
   */
  onDisconnect(reason: string): void
  /**
   * An attempt to connect failed; the next one follows automatically.
   * @param reason short, for counting: `websocket error: ECONNREFUSED`, `timeout`, or the server's refusal
   *   (its `data.code` or else its message)
   */
  onConnectError(reason: string): void
}

/**
 * Reconnects automatically until it is closed, with Socket.IO's default delays (1 s to 5 s, ± 50 %), or
 * earlier if the server sends `draining`.
 */
export interface Connection {
  readonly connected: boolean
  /** The current transport; undefined while it is not connected. */
  readonly transport: 'polling' | 'websocket' | undefined
  connect(): void
  /**
   * @returns the ack's first argument
   * @throws {RequestFailed} if it is not connected, the connection ends before the ack, or `timeoutMs` pass
   */
  request(event: string, payload: unknown, timeoutMs: number): Promise<unknown>
  /**
   * From now on reads no faster than `reads` allows. Call it again after each reconnect, once all rooms are
   * joined. It then receives no pings either: after ping interval and time-out the connection ends as `ping
   * timeout` on both sides.
   */
  throttle(): void
  /**
   * Destroys the connection without a close handshake, like a cut network; reconnects after `offlineMs`,
   * without further delay.
   */
  cut(offlineMs: number): void
  /** Disconnects properly and reconnects at once. No effect while it is not connected. */
  cycle(): void
  /** Closes for good. */
  close(): void
}

export class RequestFailed extends Error {
  readonly reason: 'offline' | 'disconnect' | 'timeout'

  constructor(reason: RequestFailed['reason']) {
    super(reason)
    this.reason = reason
  }
}
