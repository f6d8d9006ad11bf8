/** `context.cluster`: what the primary knows of the hosts, when it is asked. */
import type { ClusterInfo } from '../../wire/app.ts'
import type { Result, WorkerRequests } from '../../wire/requests.ts'

export function clusterInfo(
  ask: () => Promise<Result<WorkerRequests, 'cluster.hosts'>>,
  now: () => number,
): ClusterInfo {
  return {
    hosts: async () => {
      const known = await ask()
      const askedAt = now()
      return known.map(({ ageMs, ...host }) => ({ ...host, asOf: Math.round(askedAt - ageMs) }))
    },
  }
}
