/** A running target: hosts and, if they need one, the Redis between them. */
import { rm } from 'node:fs/promises'
import type { Network } from '../../test/harness/network/proxy.ts'
import { until } from '../../test/harness/until.ts'
import type { RedisResources } from '../model/resources.ts'
import type { ServerProcess } from '../model/server-process.ts'
import type { RedisFigures, RunningTarget, TargetOptions } from '../model/target.ts'
import type { Host } from './host.ts'
import type { RedisServer } from './redis-server.ts'

export type Faults = RunningTarget['faults']

export interface ClusterParts {
  hosts: readonly Host[]
  redis: RedisServer | undefined
  /** Each host's connection to Redis, if faults on it are needed. */
  links: readonly Network[]
  /** Removed at the end. */
  directory: string
  probeDirectory: string
  faults: Faults
  /** In addition to what each host reports. */
  isReady(runningHosts: number): Promise<boolean>
}

export class RunningCluster implements RunningTarget {
  readonly urls: readonly (readonly string[])[]
  readonly probeDirectory: string
  readonly faults: Faults
  readonly #parts: ClusterParts

  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.urls = parts.hosts.map(({ url }) => [url])
    this.probeDirectory = parts.probeDirectory
    this.faults = parts.faults
  }

  /** Starts all hosts at once; on failure it stops everything. */
  async begin(options: Pick<TargetOptions, 'progress'>): Promise<void> {
    try {
      const starts = await Promise.allSettled(this.#parts.hosts.map((host) => host.start()))
      for (const start of starts) if (start.status === 'rejected') throw start.reason
      await this.untilReady()
    } catch (error) {
      await this.stop()
      throw error
    }
    for (const { index, url } of this.#parts.hosts) options.progress(`host ${index} at ${url}`)
  }

  processes(): readonly ServerProcess[] {
    const { hosts, redis } = this.#parts
    return [...hosts.flatMap((host) => host.processes()), ...(redis?.processes() ?? [])]
  }

  async redis(): Promise<RedisFigures | undefined> {
    return this.#parts.redis?.figures()
  }

  async redisResources(): Promise<RedisResources | undefined> {
    return this.#parts.redis?.resources()
  }

  /** Of the running hosts. */
  async untilReady(): Promise<void> {
    let problem = ''
    await until(
      async () => {
        try {
          return await this.#isReady()
        } catch (error) {
          problem = String(error)
          return false
        }
      },
      'every host accepts connections and knows the others',
      () => `${problem}\n${this.tail()}`,
    )
  }

  unexpectedExits(): readonly string[] {
    const { hosts, redis } = this.#parts
    return [...hosts.flatMap((host) => host.unexpectedExits()), ...(redis?.unexpectedExits() ?? [])]
  }

  tail(): string {
    const { hosts, redis } = this.#parts
    const tails = hosts.map((host) => `host ${host.index}:\n${host.tail()}`)
    return [...tails, ...(redis === undefined ? [] : [`Redis:\n${redis.tail()}`])].join('\n')
  }

  async stop(): Promise<void> {
    const { hosts, redis, links, directory } = this.#parts
    await Promise.all(hosts.map((host) => host.kill()))
    await Promise.all(links.map((link) => link.close()))
    await redis?.stop()
    await rm(directory, { recursive: true, force: true })
  }

  async #isReady(): Promise<boolean> {
    const running = this.#parts.hosts.filter(({ isUp }) => isUp)
    const each = await Promise.all(running.map((host) => host.isReady(running.length - 1)))
    return each.every(Boolean) && (await this.#parts.isReady(running.length))
  }
}
