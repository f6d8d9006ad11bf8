/** Resources that servers hold at one time. They must return to earlier counts when the load is over. */
import { z } from 'zod'
import type { ServerRole } from './server-process.ts'

const counts = z.record(z.string(), z.number())

/** What a server process reports (measure/probe/resource-probe.js), after a garbage collection. */
export const ReportedResources = z.strictObject({
  at: z.number(),
  heapBytes: z.number(),
  externalBytes: z.number(),
  /** What keeps its event loop alive, by type. */
  handles: counts,
  /** Live EventEmitters by class name, and the listeners on them and on AbortSignals. */
  emitters: counts,
  listeners: counts,
})
export type ReportedResources = z.infer<typeof ReportedResources>

export interface ProcessResources {
  /** Identifies one process, even if its pid is reused. */
  processKey: string
  role: ServerRole
  host: number
  /** Resident memory without mapped files, such as a database's. */
  rssBytes: number
  /** Open file descriptors by kind. */
  descriptors: Readonly<Record<string, number>>
  /** Undefined for Redis. */
  reported: ReportedResources | undefined
}

export interface RedisResources {
  /** Keys without and with an expiry time. */
  persistentKeys: number
  expiringKeys: number
  /** Channels with subscribers. */
  channels: number
  shardChannels: number
  patterns: number
  connections: number
}

export interface ResourceCounts {
  processes: readonly ProcessResources[]
  redis: RedisResources | undefined
}
