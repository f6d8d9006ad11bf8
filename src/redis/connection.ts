/**
 * A host's way to Redis: one connection for commands and one that hears (in Redis Cluster one a master of each), whatever the
 * number of workers. It is never given up: whatever becomes of it, it is tried again, with a bounded pause.
 */
import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { RedisSettings } from './address.ts'
import type { Subscriptions } from './subscriptions.ts'

export type RedisCommands = Redis | Cluster

export interface RedisConnection {
  /**
   * No offline queue: while Redis is away every command fails at once. Use it through `run`, which alone turns what comes of
   * it into errors for a caller.
   */
  readonly commands: RedisCommands
  readonly subscriptions: Subscriptions
  readonly isCluster: boolean
  /**
   * Resolves when Redis has been reached and checked for the first time; waits as long as that takes. Rejects with
   * `RedisUnfit` when it answers and can't be used: too old, or the user lacks permissions.
   */
  readonly ready: Promise<void>
  /**
   * Runs commands within REDIS_TIMEOUT_MS.
   * Rejects with `unavailable` when Redis is away, does not answer in time or can't serve just now: what was asked may have
   * been done all the same. With `internal` when Redis refuses the command itself; its `cause` is Redis' error.
   */
  run<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T>
  /** `null`: commands are answered. Else why not. Told how it stands now, and at each change. */
  onHealth(listener: (reason: string | null) => void): void
  close(): Promise<void>
}

export interface RedisConnectionOptions {
  readonly settings: RedisSettings
  readonly logger: Logger
  readonly registry: Registry
}
