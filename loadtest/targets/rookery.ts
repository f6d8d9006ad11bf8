/** This project, in its shapes: one host with its embedded log, or several hosts over a Redis of their own. */
import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UNLIMITED_RATES } from '../../test/harness/cluster.ts'
import { inPackage } from '../package-root.ts'
import type { RunningTarget, Target, TargetOptions } from '../target.ts'
import { addressOf, ClusterOfHosts, probesIn, runDirectory } from './cluster-of-hosts.ts'
import { hostFaults, redisFaults, reloadFault, workerFaults } from './faults.ts'
import { Host } from './host.ts'
import { appendfsyncFrom, OwnRedis } from './own-redis.ts'
import { needProgram } from './requirements.ts'
import { RookeryServer } from './rookery-server.ts'
import { probeEnvironment } from './server-environment.ts'
import { steadyPort } from './steady-port.ts'

/** Guards against abuse that a load test's few machines and users would run into. Everything else is as it is by default. */
const LIFTED_LIMITS = {
  ...UNLIMITED_RATES,
  ADMISSION_RATE: '0',
  CONNECTIONS_PER_USER: '0',
  ROOMS_PER_SOCKET: '100000',
}

export const rookery: Target = {
  name: 'rookery',
  title:
    'Rookery: one host on its embedded log, or several over a redis-server of their own (appendfsync always, or as REDIS_APPENDFSYNC says); limits on rates, admission, rooms and connections a user lifted',
  dialects: ['chat', 'bench'],
  defaultShape: { hosts: 1, workersPerHost: 2 },
  limits: { hosts: 16, workersPerHost: 64 },
  start,
}

async function start(options: TargetOptions): Promise<RunningTarget> {
  needProgram('setpriv', 'install util-linux')
  const { hosts: count, workersPerHost } = options.shape
  const { REDIS_APPENDFSYNC = 'always', ...env } = options.env
  const directory = await runDirectory()
  await mkdir(probesIn(directory))
  const redis = count > 1 ? await OwnRedis.start(appendfsyncFrom(REDIS_APPENDFSYNC)) : undefined
  if (redis !== undefined) options.progress(`redis-server at ${redis.url}, appendfsync ${REDIS_APPENDFSYNC}`)
  const shared = {
    ...LIFTED_LIMITS,
    ...probeEnvironment(probesIn(directory)),
    ...(redis === undefined
      ? {}
      : { REDIS_URL: redis.url, CLUSTER_SECRET: `${randomUUID()}${randomUUID()}` }),
    ...env,
  }
  const hosts: Host[] = []
  for (let index = 0; index < count; index += 1)
    hosts.push(await hostOf(index, options, { directory, env: shared }))
  const target = new ClusterOfHosts({
    hosts,
    redis,
    directory,
    faults: {
      ...hostFaults(hosts),
      ...workerFaults(hosts, workersPerHost),
      ...reloadFault(hosts),
      ...redisFaults(redis),
    },
  })
  await target.begin(options)
  return target
}

interface Surroundings {
  directory: string
  env: Readonly<Record<string, string>>
}

async function hostOf(
  index: number,
  options: TargetOptions,
  { directory, env }: Surroundings,
): Promise<Host> {
  const address = addressOf(index)
  const port = await steadyPort(address)
  const url = `http://${address}:${port}`
  const own = {
    HOST: address,
    ADVERTISE_HOST: address,
    PORT: String(port),
    HOST_NAME: `host-${index + 1}`,
    DATA_DIR: join(directory, `host-${index + 1}`),
  }
  const args = options.dialect === 'bench' ? ['--app', inPackage('loadtest/apps/bench.js')] : []
  const workers = options.shape.workersPerHost
  return new Host(index, url, () => RookeryServer.start({ url, workers, args, env: { ...env, ...own } }))
}
