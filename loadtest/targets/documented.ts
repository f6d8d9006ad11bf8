/** The set-ups that Socket.IO's own documents describe, built from the packages as they write it; each is a file of servers/. */
import { mkdir } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { inPackage } from '../package-root.ts'
import type { RunningTarget, Target, TargetOptions } from '../target.ts'
import { addressOf, ClusterOfHosts, probesIn, runDirectory } from './cluster-of-hosts.ts'
import { DocumentedServer } from './documented-server.ts'
import { hostFaults, redisFaults, workerFaults } from './faults.ts'
import { Host } from './host.ts'
import { appendfsyncFrom, OwnRedis } from './own-redis.ts'
import { needPackage, needProgram } from './requirements.ts'
import { probeEnvironment } from './server-environment.ts'
import { steadyPort } from './steady-port.ts'

export interface SetUp {
  name: string
  title: string
  dialect: 'bench' | 'bare'
  /** False: one process that serves by itself. */
  workers: boolean
  /** How many of its processes the Redis of the set-up knows; without it there is none, and so one host at most. */
  knownToRedis?(redis: OwnRedis): Promise<number>
  needs: readonly string[]
}

export function documented(setUp: SetUp): Target {
  const workersPerHost = setUp.workers ? 64 : 1
  return {
    name: setUp.name,
    title: setUp.title,
    dialects: [setUp.dialect],
    defaultShape: { hosts: 1, workersPerHost: setUp.workers ? 2 : 1 },
    limits: { hosts: setUp.knownToRedis === undefined ? 1 : 16, workersPerHost },
    start: (options) => start(setUp, options),
  }
}

async function start(setUp: SetUp, options: TargetOptions): Promise<RunningTarget> {
  needProgram('setpriv', 'install util-linux')
  for (const name of setUp.needs) needPackage(name)
  const { hosts: count, workersPerHost } = options.shape
  const { REDIS_APPENDFSYNC = 'no', ...env } = options.env
  const redis =
    setUp.knownToRedis === undefined ? undefined : await OwnRedis.start(appendfsyncFrom(REDIS_APPENDFSYNC))
  if (redis !== undefined) options.progress(`redis-server at ${redis.url}, appendfsync ${REDIS_APPENDFSYNC}`)
  const directory = await runDirectory()
  await mkdir(probesIn(directory))
  const shared = {
    APP: pathToFileURL(inPackage(`loadtest/apps/${setUp.dialect}.js`)).href,
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    ...probeEnvironment(probesIn(directory)),
    ...env,
  }
  const hosts: Host[] = []
  for (let index = 0; index < count; index += 1)
    hosts.push(await hostOf(index, setUp, { ...options, env: shared }))
  const target = new ClusterOfHosts({
    hosts,
    redis,
    directory,
    faults: {
      ...hostFaults(hosts),
      ...(setUp.workers ? workerFaults(hosts, workersPerHost) : {}),
      ...redisFaults(redis),
    },
    isWhole: async (running) =>
      redis === undefined || (await setUp.knownToRedis?.(redis)) === running * workersPerHost,
  })
  await target.begin(options)
  return target
}

async function hostOf(index: number, setUp: SetUp, { shape, env }: TargetOptions): Promise<Host> {
  const address = addressOf(index)
  const port = await steadyPort(address)
  const workers = setUp.workers ? shape.workersPerHost : 0
  const file = `${setUp.name}.js`
  return new Host(index, `http://${address}:${port}`, () =>
    DocumentedServer.start({ file, address, port, workers, env }),
  )
}
