/** Options and limits of the room log on Redis. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { RedisConnection } from '../../redis/connection.ts'
import type { SigningKeys } from '../../redis/signing.ts'

export interface RedisLogLimits {
  roomsPerUser: number
  /** Limit of appends that Redis has not answered; more are refused as `unavailable`. */
  openAppends: number
  pageEntries: number
  pageBytes: number
  watchedRooms: number
  /** Limit of rooms that are repaired at a time. */
  repairs: number
  checkIntervalMs: number
  sweepIntervalMs: number
  /** If the clock of Redis differs by more from what this host expects of it, nothing is trimmed by age. */
  clockDriftMs: number
}

export const redisLogLimits: RedisLogLimits = {
  roomsPerUser: 1_000,
  openAppends: 10_000,
  pageEntries: 1_000,
  pageBytes: 1_048_576,
  watchedRooms: 100_000,
  repairs: 64,
  checkIntervalMs: 5_000,
  sweepIntervalMs: 600_000,
  clockDriftMs: 3_600_000,
}

export interface RedisLogOptions {
  connection: RedisConnection
  cluster: string
  /**
   * What a room keeps: at most this many entries, none older than this many days. `Infinity` for no limit.
   */
  retention: { messages: number; days: number }
  /** With keys, entries are signed, and unsigned entries are not shown. */
  keys?: SigningKeys | undefined
  /** An append is acked only when this many replicas have it. */
  waitReplicas?: { count: number; timeoutMs: number } | undefined
  logger: Logger
  registry: Registry
  /** What the clock of Redis should show; that of the connection by default. */
  clock?: RedisConnection['clock']
  limits?: Partial<RedisLogLimits>
}
