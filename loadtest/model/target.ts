/** What a run needs of the servers it is aimed at: this project, a documented Socket.IO set-up, or any address. */

import type { Dialect, FaultKind } from './plan.ts'
import type { RedisResources } from './resources.ts'
import type { ServerProcess } from './server-process.ts'

/** A fault that found nobody: what it is for is down, or has not come up yet. */
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
  /** Settings of the servers by environment name. */
  env: Readonly<Record<string, string>>
  /** For targets that run elsewhere: their addresses. */
  urls: readonly string[]
  /** Faults that it must be able to do; what costs something otherwise is left out where nobody needs it. */
  needs: readonly FaultKind[]
  /** Told what goes on while it starts. */
  progress(line: string): void
}

export interface Target {
  readonly name: string
  /** One line for `list`. */
  readonly title: string
  readonly dialects: readonly Dialect[]
  readonly defaultShape: TargetShape
  /** Largest that it can be: one process, one host … */
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
  /** For each host the addresses that its clients spread over, in turn. */
  readonly urls: readonly (readonly string[])[]
  /** Those that run now. Empty for what runs elsewhere. */
  processes(): readonly ServerProcess[]
  /** Files that `measure/probe.js` of each server process writes; undefined for what runs elsewhere. */
  readonly probeDirectory: string | undefined
  readonly faults: Readonly<Partial<Record<FaultKind, (which: number) => Promise<void>>>>
  /** Over all Redis servers that run now. */
  redis(): Promise<RedisFigures | undefined>
  /** The same for what it holds now. */
  redisResources(): Promise<RedisResources | undefined>
  /** Resolves when every host takes connections and knows the others. Bounded. */
  untilReady(): Promise<void>
  /** Processes that ended without anybody's doing, as lines. */
  unexpectedExits(): readonly string[]
  /** The last lines of the servers' logs. */
  tail(): string
  stop(): Promise<void>
}
