/** The faults that hosts, their workers and their Redis can have; a target names those of them that it can do. */
import type { Faults } from './cluster-of-hosts.ts'
import type { Host } from './host.ts'
import type { OwnRedis } from './own-redis.ts'

type Fault = (which: number) => Promise<void>

const hostAt = (hosts: readonly Host[], which: number): Host => {
  const host = hosts[which]
  if (host === undefined) throw new RangeError(`there is no host ${which}`)
  return host
}

export function hostFaults(hosts: readonly Host[]): Faults {
  return {
    'kill-host': (which) => hostAt(hosts, which).kill(),
    'start-host': (which) => hostAt(hosts, which).start(),
    'pause-host': (which) => hostAt(hosts, which).pause(),
    'resume-host': (which) => hostAt(hosts, which).resume(),
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
      await does(host, worker)
    }
  return {
    'kill-worker': fault((host, worker) => host.killWorker(worker)),
    'pause-worker': fault((host, worker) => host.pauseWorker(worker)),
    'resume-worker': fault((host, worker) => host.resumeWorker(worker)),
  }
}

export function reloadFault(hosts: readonly Host[]): Faults {
  return { reload: (which) => hostAt(hosts, which).reload() }
}

export function redisFaults(redis: OwnRedis | undefined): Faults {
  if (redis === undefined) return {}
  return {
    'kill-redis': () => redis.kill(),
    'start-redis': () => redis.startAgain(),
    'pause-redis': async () => redis.pause(),
    'resume-redis': async () => redis.resume(),
    'cut-pubsub': () => redis.cutPubsub(),
  }
}
