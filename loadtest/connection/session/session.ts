/**
 * One session at a server, from dialling to its end; it does not reconnect. Hides what is below it
 * (Engine.IO, a plain WebSocket).
 */
import type { ReadSpeed } from '../../model/plan.ts'

export interface SessionEvents {
  /** Requests can be sent. */
  onReady(): void
  onEvent(event: string, payload: unknown): void
  onAnswer(ref: number, answer: unknown): void
  /**
   * Called once, as the last event. Not called after `leave` and `cut`.
   * @param reason the end of a connection, as socket.io-client names it
   * @param detail why the connection failed, if it ends before it is ready
   */
  onEnd(reason: string, detail: string): void
}

export interface Session {
  readonly transport: 'polling' | 'websocket'
  /** Only when it is ready. */
  request(ref: number, event: string, payload: unknown): void
  throttle(reads: ReadLimit): void
  /** Disconnects properly. No events follow. */
  leave(): void
  /** Ends it like a cut network. No events follow. */
  cut(): void
}

/** A limited read rate. */
export type ReadLimit = Exclude<ReadSpeed, 'all'>

export type Dial = (events: SessionEvents) => Session
