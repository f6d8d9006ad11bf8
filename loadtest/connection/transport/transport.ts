/** Carries texts between a client and a server: a WebSocket or long polling. Knows no Socket.IO. */

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ReadLimit } from '../session/session.ts'
import type { Cookies } from './cookies.ts'

export interface TransportEvents {
  /** One packet. */
  onText(text: string): void
  /** Called once, as the last event. Not called after `leave` and `cut`. See `SessionEvents`. */
  onEnd(reason: string, detail: string): void
}

export interface CarryingTransport {
  readonly name: 'polling' | 'websocket'
  send(text: string): void
  throttle(reads: ReadLimit): void
  /** Closes properly, once everything is sent. */
  leave(): void
  cut(): void
}

/** Destination and source. */
export interface Address {
  url: URL
  localAddress: string | undefined
  cookies: Cookies
}

/** The other side sees a reset, not a regular end. */
export function reset(socket: Socket): void {
  // Only plain TCP can be reset.
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

/** A short name of an error, for counting: its code, or the HTTP status in a message of ws. */
export function wordOf(error: Error & { code?: string }): string {
  return error.code ?? /\b\d{3}$/.exec(error.message)?.[0] ?? error.message
}
