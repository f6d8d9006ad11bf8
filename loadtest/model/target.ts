/** The servers that a run is aimed at: this project, a documented Socket.IO setup, or any address. */

import type { Dialect, FaultKind } from './plan.ts'
import type { RedisResources } from './resources.ts'
import type { ServerProcess } from './server-process.ts'

/** The fault could not be injected: what it should hit is down or still starting. */
export class FaultMissed extends Error {
  override readonly name = 'FaultMissed'
}

export interface TargetShape {
  hosts: number
  workersPerHost: number
}

export interface TargetOptions {
  shape: TargetShape
  dialect: Dialect
  /** Server settings as environment variables. */
  env: Readonly<Record<string, string>>
  /** Addresses, for servers that already run. */
  urls: readonly string[]
  /** Faults that it must support; costly preparations for others are skipped. */
  needs: readonly FaultKind[]
  /** Reports progress of the start. */
  progress(line: string): void
}

export interface Target {
  readonly name: string
  /** One line for `list`. */
  readonly title: string
  readonly dialects: readonly Dialect[]
  readonly defaultShape: TargetShape
  /** Largest shape. */
  readonly limits: { hosts: number; workersPerHost: number }
  start(options: TargetOptions): Promise<RunningTarget>
}

/** Counters of Redis since its start. */
export interface RedisFigures {
  bytesIn: number
  bytesOut: number
  commands: number
  connections: number
}

export interface RunningTarget {
  /** Per host, the addresses that its clients use in turn. */
  readonly urls: readonly (readonly string[])[]
  /** Running processes. Empty for servers that run elsewhere. */
  processes(): readonly ServerProcess[]
  /**
   * Directory of the files that `measure/probe/probe.js` of each server process writes; undefined for servers
   * that run elsewhere.
   */
  readonly probeDirectory: string | undefined
  readonly faults: Readonly<Partial<Record<FaultKind, (which: number) => Promise<void>>>>
  /** Summed over all running Redis servers. */
  redis(): Promise<RedisFigures | undefined>
  /** What Redis holds now. */
  redisResources(): Promise<RedisResources | undefined>
  /** Resolves when every host accepts connections and knows the others. Has a time-out. */
  untilReady(): Promise<void>
  /** Processes that exited although no fault or stop was requested, one line each. */
  unexpectedExits(): readonly string[]
  /** The last lines of the servers' logs. */
  tail(): string
  stop(): Promise<void>
}
