/**
 * The client processes of a run, as the coordinator has them: one command here goes to each process with its share of the clients.
 * Owns the processes: all of them end with `close`, and with the coordinator. Judges nothing.
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
  /** Their `index` is their place. See `addressClients` of load/addresses.ts. */
  clients: readonly ClientPlan[]
  /** Deliveries that one process writes down at most. */
  recordLimit: number
  /** Reports come at whole seconds of `clock.ts`, so that `Math.round(at / 1_000)` says which, and once more before the ledger. */
  onSecond(agent: number, second: AgentSecond): void
}

export interface Settled {
  /** False: the deadline came first. */
  settled: boolean
  /** What was still owed then, as far as the processes can tell. */
  outstanding: number
  joined: number
}

export interface Fleet {
  readonly pids: readonly number[]
  /** Number of clients of each process; their sum is what was asked for. */
  readonly perAgent: readonly number[]
  /** Never resolves. Rejects when a process has died or does not answer: then the run has failed. */
  readonly failed: Promise<never>
  /** Clients begin to connect, each `connectAtMs` after `at`. */
  connect(at: number): void
  /** @returns how many have joined: all, or as many as had when `deadlineMs` were over */
  untilJoined(deadlineMs: number): Promise<number>
  /** Can be given again while another is still running; they add up. */
  load(load: Load, at: number): void
  /** Connections are destroyed, and come back after `offlineMs`. */
  cut(moments: EventTimes, offlineMs: number): void
  /** Clients leave in order and come back at once. */
  leave(moments: EventTimes): void
  /** From `at` on clients take no more from their sockets than their `reads` allows. */
  slow(at: number): void
  /** From `at` on it is looked when each client is served again. */
  trackRecovery(at: number): void
  /** Stops every load, and waits until nothing is owed and nothing has been delivered for `quietMs` (2 s). */
  settle(deadlineMs: number, quietMs?: number): Promise<Settled>
  /** Nothing is written down after it was asked for. */
  records(): Promise<DeliveryRecords>
  /** Ends every process by its id. */
  close(): Promise<void>
}
