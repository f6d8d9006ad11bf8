/** What servers hold at a moment: the figures that must come back to what they were once all is quiet. */
import { z } from 'zod'
import type { ServerRole } from './server-process.ts'

const counts = z.record(z.string(), z.number())

/** What a server process tells of itself (measure/holdings-probe.js), after a garbage collection. */
export const ReportedResources = z.strictObject({
  at: z.number(),
  heapBytes: z.number(),
  externalBytes: z.number(),
  /** What keeps its event loop alive, by type. */
  handles: counts,
  /** Living EventEmitters by the name of their class, and the listeners on them and on AbortSignals. */
  emitters: counts,
  listeners: counts,
})
export type ReportedResources = z.infer<typeof ReportedResources>

export interface ProcessResources {
  /** Of one life of one process. */
  processKey: string
  role: ServerRole
  host: number
  /** Resident memory that is no file's: what a database maps into it is left out. */
  rssBytes: number
  /** Open file descriptors by what they are. */
  descriptors: Readonly<Record<string, number>>
  /** Undefined of Redis. */
  reported: ReportedResources | undefined
}

export interface RedisResources {
  /** Those that nothing but a command removes, and those that Redis lets go of by itself. */
  persistentKeys: number
  expiringKeys: number
  /** That somebody has subscribed to. */
  channels: number
  shardChannels: number
  patterns: number
  connections: number
}

export interface ResourceCounts {
  processes: readonly ProcessResources[]
  redis: RedisResources | undefined
}
