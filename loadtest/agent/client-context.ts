/**
 * The parts of a client of the fleet: client.ts has its connection and times, protocol/ its communication
 * with the server in each dialect.
 */

import type { Connection } from '../connection/connection.ts'
import type { Random } from '../load/random.ts'
import type { ClientPlan } from '../model/plan.ts'
import type { Clock } from '../system/clock.ts'
import type { Counters } from './record/counters.ts'
import type { Recorder } from './record/recorder.ts'
import type { RecoveryTimer } from './record/recovery-timer.ts'

/** Shared by all clients of a process. */
export interface SharedContext {
  recorder: Recorder
  counters: Counters
  clock: Clock
}

/** What a client offers to its protocol. */
export interface ClientContext extends SharedContext {
  readonly plan: ClientPlan
  readonly connection: Connection
  readonly random: Random
  readonly recovery: RecoveryTimer
  /** Pairs of times: away since, back at. Grows. */
  readonly absences: readonly (readonly [number, number])[]
  /** It has joined all of its rooms. */
  readonly isLive: boolean
  /** Aborted when the run is over: try nothing more. */
  readonly ended: AbortSignal
}

export interface DueSend {
  dueAt: number
  /** Selects one of its rooms: a number from 0 up to 1, times their count. */
  pick: number
  textLength: number
}

export interface ClientProtocol {
  /**
   * Joins all rooms on a new connection, and retries until it has.
   * @param signal ends with the connection
   * @returns whether it has joined
   */
  join(signal: AbortSignal): Promise<boolean>
  onEvent(event: string, payload: unknown): void
  /** The connection has ended. */
  onDisconnect(): void
  /** All rooms are joined, or the run is over. */
  onLive(): void
  /** Never throws; the outcome is recorded. */
  send(send: DueSend): void
  /** Sends without an answer, plus deliveries still to come. */
  readonly outstanding: number
  /** Sends without an answer. */
  readonly unanswered: number
}

/** @param pick from 0 up to 1 */
export function roomOf(plan: ClientPlan, pick: number): string | undefined {
  return plan.rooms[Math.min(plan.rooms.length - 1, Math.floor(pick * plan.rooms.length))]
}
