/**
 * The client processes of a run: a command goes to each process with its share of the clients. Owns the
 * processes; they end with `close` and with the coordinator. Judges nothing.
 */

import type { EventTimes } from '../load/event-times.ts'
import type { AgentSecond } from '../model/agent-protocol.ts'
import type { DeliveryRecords } from '../model/delivery-records.ts'
import type { ClientKind, ClientPlan, Dialect, Load } from '../model/plan.ts'

export interface FleetOptions {
  /** Client processes; never more than there are clients. */
  agents: number
  seed: number
  /** See `AgentCommand`. */
  run: string
  dialect: Dialect
  kind: ClientKind
  /** Their `index` is their position. See `addressClients` in load/addresses.ts. */
  clients: readonly ClientPlan[]
  /** Most deliveries that one process records. */
  recordLimit: number
  /**
   * Reports come at whole seconds of the clock, so `Math.round(at / 1_000)` names the second, and once more
   * before the delivery records.
   */
  onSecond(agent: number, second: AgentSecond): void
}

export interface Settled {
  /** False: the deadline passed first. */
  settled: boolean
  /** What was still outstanding, as far as the processes can tell. */
  outstanding: number
  joined: number
}

export interface Fleet {
  readonly pids: readonly number[]
  /** Clients per process. */
  readonly perAgent: readonly number[]
  /** Never resolves. Rejects when a process has died or does not respond: then the run has failed. */
  readonly failed: Promise<never>
  /** Each client connects `connectAtMs` after `at`. */
  connect(at: number): void
  /** @returns how many clients have joined: all, or fewer if `deadlineMs` passed */
  untilJoined(deadlineMs: number): Promise<number>
  /** May be called while another load runs; they add up. */
  load(load: Load, at: number): void
  /** Connections are destroyed, and come back after `offlineMs`. */
  cut(moments: EventTimes, offlineMs: number): void
  /** Clients disconnect properly and come back at once. */
  leave(moments: EventTimes): void
  /** From `at` on, clients read no faster than their `reads` allows. */
  slow(at: number): void
  /** Measures when each client is served again after `at`. */
  trackRecovery(at: number): void
  /**
   * Stops every load, and waits until nothing is outstanding and nothing was delivered for `quietMs` (2 s).
   */
  settle(deadlineMs: number, quietMs?: number): Promise<Settled>
  /** Nothing is recorded after this call. */
  records(): Promise<DeliveryRecords>
  /** Ends every process. */
  close(): Promise<void>
}
