/**
 * Notices that a server which is used alone has become a replica: it takes no writes, and what is published
 * on the master does not reach its subscribers. Says so, and connects again now and then: behind a name or a
 * balancer the new master may be found.
 */
import type { Redis } from 'ioredis'
import { isReply } from './script.ts'
import { fieldOf } from './server-version.ts'

const RECONNECT_MS = 5_000

export interface ReplicaWatchOptions {
  readonly client: Redis
  /** Connects all clients anew. */
  readonly reconnect: (reason: string) => void
  readonly now: () => number
}

export class ReplicaWatch {
  readonly #options: ReplicaWatchOptions
  #nextAtMs = Number.NEGATIVE_INFINITY

  constructor(options: ReplicaWatchOptions) {
    this.#options = options
  }

  /** @returns why the server can't be used; null if it is no replica, or may not be asked */
  async ask(): Promise<string | null> {
    const master = await this.#master()
    if (master === undefined) return null
    const reason = `this server is now a replica of ${master}`
    const nowMs = this.#options.now()
    if (nowMs >= this.#nextAtMs) {
      this.#nextAtMs = nowMs + RECONNECT_MS
      this.#options.reconnect(reason)
    }
    return reason
  }

  async #master(): Promise<string | undefined> {
    try {
      const info = await this.#options.client.info('replication')
      if (fieldOf(info, 'role') !== 'slave') return undefined
      return `${fieldOf(info, 'master_host') ?? '?'}:${fieldOf(info, 'master_port') ?? '?'}`
    } catch (error) {
      if (isReply(error, 'NOPERM')) return undefined
      throw error
    }
  }
}
