/**
 * Starts hosts, each with a fixed address and port, and their Redis if they need one; on failure it stops
 * everything.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Network } from '../../test/harness/network/proxy.ts'
import type { RunningTarget, TargetOptions } from '../model/target.ts'
import { hostFaults, linkFaults, needsLinks, redisFaults } from './faults.ts'
import { fixedPort } from './fixed-port.ts'
import { Host, type Server } from './host.ts'
import { appendfsyncFrom, RedisServer } from './redis-server.ts'
import { needProgram } from './requirements.ts'
import { type Faults, RunningCluster } from './running-cluster.ts'
import { probeEnvironment } from './server-environment.ts'

/** Where one host runs. */
export interface HostConfig {
  index: number
  address: string
  port: number
  url: string
  /** For data that must survive a restart of the host. */
  directory: string
  /** The probe, the address of Redis, and the settings of the target's options. */
  env: Readonly<Record<string, string>>
}

export interface ClusterPlan {
  options: TargetOptions
  /** The appendfsync mode of its Redis, unless REDIS_APPENDFSYNC is set; undefined: no Redis. */
  appendfsync: string | undefined
  /** Resolves when the host's server accepts connections. */
  startServer(config: HostConfig): Promise<Server>
  /** In addition to those of hosts and Redis. */
  faults(hosts: readonly Host[]): Faults
  /** Whether Redis knows all servers of the running hosts; true by default. */
  isReady?(redis: RedisServer, runningHosts: number): Promise<boolean>
}

export async function startCluster(plan: ClusterPlan): Promise<RunningTarget> {
  needProgram('setpriv', 'install util-linux')
  needProgram('setsid', 'install util-linux')
  const { REDIS_APPENDFSYNC, ...env } = plan.options.env
  const word = plan.appendfsync === undefined ? undefined : (REDIS_APPENDFSYNC ?? plan.appendfsync)
  const redis = word === undefined ? undefined : await RedisServer.start(appendfsyncFrom(word))
  const directory = await mkdtemp(join(tmpdir(), 'rookery-loadtest-'))
  try {
    if (redis !== undefined) plan.options.progress(`redis-server at ${redis.url}, appendfsync ${word}`)
    const options = { ...plan.options, env }
    return await startHosts({ ...plan, options }, directory, redis)
  } catch (error) {
    await redis?.stop()
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

async function startHosts(
  plan: ClusterPlan,
  directory: string,
  redis: RedisServer | undefined,
): Promise<RunningTarget> {
  const probeDirectory = join(directory, 'probes')
  await mkdir(probeDirectory)
  const hosts: Host[] = []
  const links: Network[] = []
  for (let index = 0; index < plan.options.shape.hosts; index += 1) {
    const link = await linkTo(redis, plan.options.needs)
    if (link !== undefined) links.push(link)
    const url = link === undefined ? redis?.url : link.url.replace('http:', 'redis:')
    const env = {
      ...probeEnvironment(probeDirectory),
      ...(url === undefined ? {} : { REDIS_URL: url }),
      ...plan.options.env,
    }
    const config = await hostConfigOf(index, directory, env)
    hosts.push(new Host(index, config.url, () => plan.startServer(config)))
  }
  const faults = {
    ...hostFaults(hosts),
    ...redisFaults(redis),
    ...linkFaults(links),
    ...plan.faults(hosts),
  }
  const target = new RunningCluster({
    hosts,
    redis,
    links,
    directory,
    probeDirectory,
    faults,
    isReady: async (running) => redis === undefined || (await (plan.isReady?.(redis, running) ?? true)),
  })
  await target.begin(plan.options)
  return target
}

/** A connection to Redis that can fail; undefined: the host connects to Redis directly. */
async function linkTo(
  redis: RedisServer | undefined,
  needs: TargetOptions['needs'],
): Promise<Network | undefined> {
  return redis !== undefined && needsLinks(needs) ? Network.to(redis.port) : undefined
}

async function hostConfigOf(index: number, directory: string, env: HostConfig['env']): Promise<HostConfig> {
  const address = `127.0.0.${index + 1}`
  const port = await fixedPort(address)
  return {
    index,
    address,
    port,
    url: `http://${address}:${port}`,
    directory: join(directory, `host-${index + 1}`),
    env,
  }
}
