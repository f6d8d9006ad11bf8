/**
 * The setups that Socket.IO's documents describe, built from the original packages; each is a file of
 * servers/.
 */
import { pathToFileURL } from 'node:url'
import type { RunningTarget, Target, TargetOptions } from '../model/target.ts'
import { inPackage } from '../system/package-root.ts'
import { DocumentedServer } from './documented-server.ts'
import { workerFaults } from './faults.ts'
import type { RedisServer } from './redis-server.ts'
import { needPackage } from './requirements.ts'
import { startCluster } from './start-cluster.ts'

export interface DocumentedSetup {
  name: string
  title: string
  dialect: 'bench' | 'bare'
  /** False: a single process. */
  workers: boolean
  /** How many of its processes Redis knows; without it the setup has no Redis, and so at most one host. */
  knownToRedis?(redis: RedisServer): Promise<number>
  needs: readonly string[]
}

export function documented(setUp: DocumentedSetup): Target {
  return {
    name: setUp.name,
    title: setUp.title,
    dialects: [setUp.dialect],
    defaultShape: { hosts: 1, workersPerHost: setUp.workers ? 2 : 1 },
    limits: {
      hosts: setUp.knownToRedis === undefined ? 1 : 16,
      workersPerHost: setUp.workers ? 64 : 1,
    },
    start: (options) => start(setUp, options),
  }
}

async function start(setUp: DocumentedSetup, options: TargetOptions): Promise<RunningTarget> {
  for (const name of setUp.needs) needPackage(name)
  const { workersPerHost } = options.shape
  const APP = pathToFileURL(inPackage(`loadtest/apps/${setUp.dialect}.js`)).href
  return startCluster({
    options,
    appendfsync: setUp.knownToRedis === undefined ? undefined : 'no',
    startServer: ({ address, port, env }) =>
      DocumentedServer.start({
        file: `${setUp.name}.js`,
        address,
        port,
        workers: setUp.workers ? workersPerHost : 0,
        env: { APP, ...env },
      }),
    faults: (hosts) => (setUp.workers ? workerFaults(hosts, workersPerHost) : {}),
    isReady: async (redis, running) => (await setUp.knownToRedis?.(redis)) === running * workersPerHost,
  })
}
