/** What a host tells of itself to the others, and what it knows of them. */
import type { HostStatus } from '../wire/host-messages.ts'
import type { Result, WorkerRequests } from '../wire/requests.ts'
import type { Backplane } from './backplane/index.ts'
import type { FrontDoor } from './front-door/index.ts'
import type { HostState } from './supervisor/index.ts'

export function ownStatus(frontDoor: FrontDoor, { reason }: HostState): HostStatus {
  const connections = Object.values(frontDoor.counts()).reduce((sum, count) => sum + count, 0)
  const health = reason === null ? 'ok' : 'degraded'
  return { state: frontDoor.isStopping ? 'stopping' : health, workers: frontDoor.readyWorkers, connections }
}

/** This host first. */
export function knownHosts(
  own: { name: string; status: HostStatus },
  backplane: Backplane,
): Result<WorkerRequests, 'cluster.hosts'> {
  const others = backplane.reports().map(({ name, status, ageMs }) => ({
    name,
    isOwn: false,
    ...(status ?? { state: 'unknown' as const, workers: 0, connections: 0 }),
    ageMs,
  }))
  return [{ name: own.name, isOwn: true, ...own.status, ageMs: 0 }, ...others]
}
