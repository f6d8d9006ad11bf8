/**
 * This host's entry in Redis, for people and tools: name and address. It expires by itself. Hosts do not use
 * it: they ask each other.
 */
import type { Logger } from 'pino'
import type { RedisConnection } from '../../redis/connection.ts'
import { clusterKey } from '../../redis/names.ts'
import type { HostInfo } from './backplane.ts'

export interface RegistryEntryOptions {
  host: HostInfo
  cluster: string
  connection: Pick<RedisConnection, 'run'>
  ttlMs: number
  logger: Logger
}

export class HostRegistryEntry {
  readonly #options: RegistryEntryOptions
  readonly #key: string
  readonly #value: string

  constructor(options: RegistryEntryOptions) {
    const { host, cluster } = options
    this.#options = options
    this.#key = clusterKey(cluster, `host:${host.host}`)
    this.#value = JSON.stringify({
      name: host.name,
      forwardTo: host.forwardTo,
      started: new Date().toISOString(),
    })
  }

  renew(): void {
    void this.#try((connection) =>
      connection.run((commands) => commands.set(this.#key, this.#value, 'PX', this.#options.ttlMs)),
    )
  }

  /** Never rejects. */
  remove(): Promise<void> {
    return this.#try((connection) => connection.run((commands) => commands.del(this.#key)))
  }

  async #try(work: (connection: Pick<RedisConnection, 'run'>) => Promise<unknown>): Promise<void> {
    try {
      await work(this.#options.connection)
    } catch (error) {
      this.#options.logger.debug({ err: error }, "this host's entry in Redis could not be written")
    }
  }
}
