/**
 * Open broadcasts with acknowledgement: how many acknowledgements the other servers still owe. A server owes
 * one for each of its clients, and none once it is gone: then only those that it has already delivered count.
 * No I/O.
 */

interface PendingServer {
  /** Unknown until the server reports it. */
  clients: number | undefined
  acks: number
}

interface PendingBroadcast {
  /** Before the receipt: servers that have reported something. After it: recipients that are not done. */
  servers: Map<string, PendingServer>
  /** The receipt has arrived. */
  recipientsKnown: boolean
  clients: number
  gone: string[]
  goneBeforeReceipt: Set<string>
  timer: NodeJS.Timeout
  ack: (value: unknown) => void
  onComplete: (clients: number, gone: readonly string[]) => void
}

export interface BroadcastAckOptions {
  timeoutMs: number
  ack: (value: unknown) => void
  /**
   * Called at most once, with the number of acknowledgements and the servers that left before they were done.
   */
  onComplete: (clients: number, gone: readonly string[]) => void
}

export class BroadcastAcks {
  readonly #broadcasts = new Map<string, PendingBroadcast>()
  readonly #maxOpen: number
  #lastId = 0

  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen
  }

  get size(): number {
    return this.#broadcasts.size
  }

  /** @returns the id of the broadcast. Throws when too many are open. */
  open({ timeoutMs, ack, onComplete }: BroadcastAckOptions): string {
    if (this.#broadcasts.size >= this.#maxOpen) {
      throw new Error('too many broadcasts wait for acknowledgements')
    }
    this.#lastId = (this.#lastId + 1) >>> 0
    const id = `a${this.#lastId}`
    this.#broadcasts.set(id, {
      servers: new Map(),
      recipientsKnown: false,
      clients: 0,
      gone: [],
      goneBeforeReceipt: new Set(),
      timer: setTimeout(() => this.drop(id), timeoutMs),
      ack,
      onComplete,
    })
    return id
  }

  /** The receipt has arrived: the broadcast was passed to these workers. */
  recipientsKnown(id: string, workers: readonly string[]): void {
    const broadcast = this.#broadcasts.get(id)
    if (broadcast === undefined) return
    broadcast.recipientsKnown = true
    // A server that reported but is not in the receipt (its host is gone, say) counts with what it has
    // acknowledged.
    for (const [worker, server] of broadcast.servers) {
      if (!workers.includes(worker)) server.clients = server.acks
    }
    for (const worker of workers) {
      if (broadcast.servers.has(worker)) continue
      if (broadcast.goneBeforeReceipt.has(worker)) broadcast.gone.push(worker)
      else broadcast.servers.set(worker, { clients: undefined, acks: 0 })
    }
    for (const worker of broadcast.servers.keys()) removeIfDone(broadcast, worker)
    this.#check(id, broadcast)
  }

  clientCount(id: string, worker: string, clients: number): void {
    const broadcast = this.#broadcasts.get(id)
    const server = broadcast === undefined ? undefined : pendingServer(broadcast, worker)
    if (broadcast === undefined || server === undefined) return
    server.clients = clients
    this.#check(id, broadcast, worker)
  }

  acked(id: string, worker: string, value: unknown): void {
    const broadcast = this.#broadcasts.get(id)
    const server = broadcast === undefined ? undefined : pendingServer(broadcast, worker)
    if (broadcast === undefined || server === undefined) return
    server.acks += 1
    broadcast.ack(value)
    this.#check(id, broadcast, worker)
  }

  serverGone(worker: string): void {
    for (const [id, broadcast] of this.#broadcasts) {
      // Before the receipt it is not known whether this server was a recipient.
      if (broadcast.recipientsKnown || broadcast.servers.has(worker)) this.#serverGone(id, worker)
      else broadcast.goneBeforeReceipt.add(worker)
    }
  }

  drop(id: string): void {
    clearTimeout(this.#broadcasts.get(id)?.timer)
    this.#broadcasts.delete(id)
  }

  dropAll(): void {
    for (const id of this.#broadcasts.keys()) this.drop(id)
  }

  #serverGone(id: string, worker: string): void {
    const broadcast = this.#broadcasts.get(id)
    const server = broadcast === undefined ? undefined : pendingServer(broadcast, worker)
    if (broadcast === undefined || server === undefined) return
    broadcast.gone.push(worker)
    server.clients = server.acks
    this.#check(id, broadcast, worker)
  }

  #check(id: string, broadcast: PendingBroadcast, worker?: string): void {
    if (!broadcast.recipientsKnown) return
    if (worker !== undefined) removeIfDone(broadcast, worker)
    if (broadcast.servers.size > 0) return
    this.drop(id)
    broadcast.onComplete(broadcast.clients, broadcast.gone)
  }
}

function removeIfDone(broadcast: PendingBroadcast, worker: string): void {
  const server = broadcast.servers.get(worker)
  if (server?.clients === undefined || server.acks < server.clients) return
  broadcast.clients += server.clients
  broadcast.servers.delete(worker)
}

/** @returns nothing when this worker owes nothing, or nothing more */
function pendingServer(broadcast: PendingBroadcast, worker: string): PendingServer | undefined {
  const server = broadcast.servers.get(worker)
  if (server !== undefined || broadcast.recipientsKnown) return server
  const early: PendingServer = { clients: undefined, acks: 0 }
  broadcast.servers.set(worker, early)
  return early
}
