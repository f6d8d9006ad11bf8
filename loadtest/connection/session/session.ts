/** One stay at a server, from dialling to its end; it never comes back. What is beneath (Engine.IO, a plain WebSocket) is its own matter. */
import type { Reading } from '../../model/plan.ts'

export interface SessionEvents {
  /** Requests can be sent. */
  onReady(): void
  onEvent(event: string, payload: unknown): void
  onAnswer(ref: number, answer: unknown): void
  /**
   * Once; nothing follows. Not after `leave` and `cut`.
   * @param reason as socket.io-client names the end of a connection
   * @param detail why there was no connection, for those that end before they are ready
   */
  onEnd(reason: string, detail: string): void
}

export interface Session {
  readonly transport: 'polling' | 'websocket'
  /** Only when it is ready. */
  request(ref: number, event: string, payload: unknown): void
  throttle(reads: ReadLimit): void
  /** Says goodbye. Nothing is heard of it afterwards. */
  leave(): void
  /** Ends it as a cut network does. Nothing is heard of it afterwards. */
  cut(): void
}

/** Less than everything that comes. */
export type ReadLimit = Exclude<Reading, 'all'>

export type Dial = (events: SessionEvents) => Session
