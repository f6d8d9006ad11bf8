/** What carries texts between a client and a server: a WebSocket or long polling. Knows no Socket.IO. */

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ReadLimit } from '../session/session.ts'
import type { Cookies } from './cookies.ts'

export interface TransportEvents {
  /** One packet. */
  onText(text: string): void
  /** Once; nothing follows. Not after `leave` and `cut`. See `SessionEvents`. */
  onEnd(reason: string, detail: string): void
}

export interface CarryingTransport {
  readonly name: 'polling' | 'websocket'
  send(text: string): void
  throttle(reads: ReadLimit): void
  /** Closes in order, once what was sent has left. */
  leave(): void
  cut(): void
}

/** Where to and from where. */
export interface Address {
  url: URL
  localAddress: string | undefined
  cookies: Cookies
}

/** The other side sees a reset, not the end of a conversation. */
export function reset(socket: Socket): void {
  // Only plain TCP can be reset.
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

/** The word for an error that can be counted by: its code, or the status in what ws says of an answer that is no WebSocket. */
export function wordOf(error: Error & { code?: string }): string {
  return error.code ?? /\b\d{3}$/.exec(error.message)?.[0] ?? error.message
}
