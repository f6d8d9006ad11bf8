/** The default of WORKERS: one for each core that this process may use. */
import { availableParallelism } from 'node:os'
import { type CpuQuota, cpuQuota } from './cpu-quota.ts'

export interface Processors {
  /** What Node.js says: the cores of the machine, or those that this process is bound to. */
  readonly cores: number
  readonly quota: CpuQuota | undefined
}

const ownProcessors = (): Processors => ({ cores: availableParallelism(), quota: cpuQuota() })

/** Rounded down, as Node.js itself does in later versions; at least 1. */
export function defaultWorkers({ cores, quota } = ownProcessors()): number {
  return Math.min(cores, Math.max(1, Math.floor(quota?.cores ?? cores)))
}

/** For people. */
export function originOfWorkers({ cores, quota } = ownProcessors()): string {
  const seen = `${cores} available core${cores === 1 ? '' : 's'}`
  if (quota === undefined) return `${seen}, no CPU quota`
  return `${seen}, a CPU quota of ${Number(quota.cores.toFixed(2))} in ${quota.file}`
}
