/** What a client of the fleet is made of: its connection and times in client.ts, its talk with the server in one file a dialect. */

import type { Connection } from '../connection/connection.ts'
import type { Random } from '../load/random.ts'
import type { ClientPlan } from '../model/plan.ts'
import type { Clock } from '../system/clock.ts'
import type { Counters } from './record/counters.ts'
import type { Recorder } from './record/recorder.ts'
import type { RecoveryTimer } from './record/recovery-timer.ts'

/** What all clients of a process share. */
export interface SharedContext {
  recorder: Recorder
  counters: Counters
  clock: Clock
}

/** What a client is to its talk. */
export interface ClientContext extends SharedContext {
  readonly plan: ClientPlan
  readonly connection: Connection
  readonly random: Random
  readonly recovery: RecoveryTimer
  /** Pairs of times, growing: away from, back at. */
  readonly absences: readonly (readonly [number, number])[]
  /** It is in all of its rooms. */
  readonly isLive: boolean
  /** Aborted when the run is over: nothing more is to be tried. */
  readonly over: AbortSignal
}

export interface DueSend {
  dueAt: number
  /** Which of its rooms: 0 up to 1 of their number. */
  pick: number
  textLength: number
}

export interface ClientProtocol {
  /**
   * Joins all rooms anew, on a fresh connection. Tries again until it has joined.
   * @param signal ends with the connection
   * @returns whether it has joined
   */
  join(signal: AbortSignal): Promise<boolean>
  onEvent(event: string, payload: unknown): void
  /** The connection is gone. */
  onLost(): void
  /** In all rooms, or the run is over. */
  onLive(): void
  /** Never throws; what becomes of it is written down. */
  send(send: DueSend): void
  /** Sends without an answer plus deliveries that must still come. */
  readonly outstanding: number
  /** Sends without an answer. */
  readonly unanswered: number
}

/** Of a schedule that draws a number from 0 up to 1. */
export function roomOf(plan: ClientPlan, pick: number): string | undefined {
  return plan.rooms[Math.min(plan.rooms.length - 1, Math.floor(pick * plan.rooms.length))]
}
