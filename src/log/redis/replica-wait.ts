/**
 * Holds the answer of an append back until enough replicas have it (WAIT of Redis). Appends answered in the
 * same turn of the event loop share one WAIT; in Redis Cluster those of one room.
 */
import type { RedisConnection } from '../../redis/connection.ts'
import { roomKey } from '../../redis/names.ts'
import { RookeryError } from '../../wire/errors.ts'

const RETRY_MS = 1_000

export interface ReplicaWaitOptions {
  connection: RedisConnection
  cluster: string
  /** 0: no wait. */
  replicas: number
  timeoutMs: number
}

export class ReplicaWait {
  readonly #options: ReplicaWaitOptions
  readonly #groups = new Map<string, Promise<void>>()

  constructor(options: ReplicaWaitOptions) {
    this.#options = options
  }

  /**
   * Rejects with `unavailable` if too few replicas have it in time. It may still be stored; a retry gets the
   * first answer.
   */
  confirm(room: string): Promise<void> {
    const { connection, replicas } = this.#options
    if (replicas === 0) return Promise.resolve()
    const group = connection.isCluster ? room : ''
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const waiting = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#groups.delete(group)
      return this.#wait(room)
    })
    this.#groups.set(group, waiting)
    return waiting
  }

  /**
   * WAIT has no key, so the command before it selects the node of the room. It covers all earlier writes on
   * that node.
   */
  async #wait(room: string): Promise<void> {
    const { connection, cluster, replicas, timeoutMs } = this.#options
    const answers = await connection.run((commands) =>
      commands
        .pipeline()
        .exists(roomKey(cluster, room, 'meta'))
        .wait(replicas, timeoutMs)
        .exec(),
    )
    const [error, reached] = answers?.[1] ?? [null, 0]
    if (error === null && Number(reached) >= replicas) return
    const reason = error === null ? `${String(reached)} of ${replicas} replicas` : error.message
    throw new RookeryError('unavailable', `the message has not reached enough replicas: ${reason}`, {
      retryAfterMs: RETRY_MS,
      cause: error ?? undefined,
    })
  }
}
