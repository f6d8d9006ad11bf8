/** Hosts and, where they have one, the Redis between them, as a running target: its faults, its wholeness, its end. */
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
  /** Of each host to Redis, where they can fail. */
  links: readonly Network[]
  /** Removed at the end. */
  directory: string
  probeDirectory: string
  faults: Faults
  /** Beside what each host says of itself. */
  isReady(hostsThatRun: number): Promise<boolean>
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

  /** All hosts at once; whatever fails, nothing stays. */
  async begin(told: Pick<TargetOptions, 'progress'>): Promise<void> {
    try {
      const starts = await Promise.allSettled(this.#parts.hosts.map((host) => host.start()))
      for (const start of starts) if (start.status === 'rejected') throw start.reason
      await this.untilReady()
    } catch (error) {
      await this.stop()
      throw error
    }
    for (const { index, url } of this.#parts.hosts) told.progress(`host ${index} at ${url}`)
  }

  processes(): readonly ServerProcess[] {
    const { hosts, redis } = this.#parts
    return [...hosts.flatMap((host) => host.processes()), ...(redis?.processes() ?? [])]
  }

  async redis(): Promise<RedisFigures | undefined> {
    return this.#parts.redis?.figures()
  }

  async redisResources(): Promise<RedisResources | undefined> {
    return this.#parts.redis?.holdings()
  }

  /** Of those that run. */
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
      'every host takes connections and knows the others',
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
    const running = this.#parts.hosts.filter(({ runs }) => runs)
    const each = await Promise.all(running.map((host) => host.isReady(running.length - 1)))
    return each.every(Boolean) && (await this.#parts.isReady(running.length))
  }
}
