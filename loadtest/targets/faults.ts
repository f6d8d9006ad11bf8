/** The faults of hosts, workers and Redis; each target offers those that it supports. */
import type { Network } from '../../test/harness/network/proxy.ts'
import type { FaultKind } from '../model/plan.ts'
import type { Host } from './host.ts'
import type { RedisServer } from './redis-server.ts'
import type { Faults } from './running-cluster.ts'
import { SerialQueue } from './serial-queue.ts'

type Fault = (which: number) => Promise<void>

const hostAt = (hosts: readonly Host[], which: number): Host => {
  const host = hosts[which]
  if (host === undefined) throw new RangeError(`there is no host ${which}`)
  return host
}

/** Faults of one host run in order: one that comes during a start waits. */
const queued =
  (hosts: readonly Host[], does: (host: Host) => Promise<void>): Fault =>
  async (which) => {
    const host = hostAt(hosts, which)
    await host.queue.run(() => does(host))
  }

export function hostFaults(hosts: readonly Host[]): Faults {
  return {
    'kill-host': queued(hosts, (host) => host.kill()),
    'kill-primary': queued(hosts, (host) => host.killPrimary()),
    'stop-host': queued(hosts, (host) => host.stop()),
    'start-host': queued(hosts, (host) => host.start()),
    'pause-host': queued(hosts, (host) => host.pause()),
    'resume-host': queued(hosts, (host) => host.resume()),
    'stall-primary': async (which) => {
      const host = hostAt(hosts, which)
      await host.queue.idle()
      await host.stallPrimary()
    },
  }
}

/** `which` counts the workers over all hosts. */
export function workerFaults(hosts: readonly Host[], workersPerHost: number): Faults {
  const at = (which: number) => ({
    host: hostAt(hosts, Math.floor(which / workersPerHost)),
    worker: which % workersPerHost,
  })
  const fault =
    (does: (host: Host, worker: number) => Promise<void>): Fault =>
    async (which) => {
      const { host, worker } = at(which)
      await host.queue.idle()
      await does(host, worker)
    }
  return {
    'kill-worker': fault((host, worker) => host.killWorker(worker)),
    'terminate-worker': fault((host, worker) => host.terminateWorker(worker)),
    'pause-worker': fault((host, worker) => host.pauseWorker(worker)),
    'resume-worker': fault((host, worker) => host.resumeWorker(worker)),
    'stall-worker': fault((host, worker) => host.stallWorker(worker)),
  }
}

/** Lasts until the workers are replaced; other faults of the host do not wait for that. */
export function reloadFault(hosts: readonly Host[]): Faults {
  const begin = queued(hosts, (host) => host.reload())
  return {
    reload: async (which) => {
      await begin(which)
      await hostAt(hosts, which).reloaded()
    },
  }
}

export function redisFaults(redis: RedisServer | undefined): Faults {
  if (redis === undefined) return {}
  const queue = new SerialQueue()
  const fault =
    (does: () => Promise<void>): Fault =>
    () =>
      queue.run(does)
  return {
    'kill-redis': fault(() => redis.kill()),
    'terminate-redis': fault(() => redis.terminate()),
    'start-redis': fault(() => redis.startAgain()),
    'pause-redis': fault(async () => redis.pause()),
    'resume-redis': fault(async () => redis.resume()),
    'cut-pubsub': fault(() => redis.cut('pubsub')),
    'cut-normal': fault(() => redis.cut('normal')),
  }
}

/** One-way delay. */
const SLOW_MS = 250

const LINK_FAULTS = {
  'cut-link': (link: Network) => link.cut(),
  'freeze-link': (link: Network) => link.hold(),
  'slow-link': (link: Network) => link.slow(SLOW_MS),
  'deafen-link': (link: Network) => link.loseAnswers(),
  'mend-link': (link: Network) => {
    link.slow(0)
    link.mend()
  },
} satisfies Partial<Record<FaultKind, (link: Network) => void>>

/** Whether faults on connections to Redis are needed. */
export const needsLinks = (needs: readonly FaultKind[]): boolean =>
  needs.some((fault) => fault in LINK_FAULTS)

/** @param links each host's connection to Redis; without any, these faults are not supported */
export function linkFaults(links: readonly Network[]): Faults {
  if (links.length === 0) return {}
  const faults = Object.entries(LINK_FAULTS).map(([name, does]) => [
    name,
    async (which: number) => {
      const link = links[which]
      if (link === undefined) throw new RangeError(`there is no host ${which}`)
      does(link)
    },
  ])
  return Object.fromEntries(faults)
}
