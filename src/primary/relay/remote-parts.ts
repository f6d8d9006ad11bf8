/**
 * Publications between hosts in parts. `OutgoingParts`: those of this host's workers, of which each host gets
 * all parts on the same channel. `IncomingParts`: those of workers of other hosts; a part that does not follow
 * the last one ends the publication. At most one of each worker at a time.
 */
import type { HostMessage } from '../../wire/host-messages.ts'

export type PublicationMessage = HostMessage & { type: 'publication' }
export type PartMessage = HostMessage & { type: 'part' }

export interface OutgoingPublication {
  id: number
  /** Bytes that have been sent. */
  at: number
  target: readonly string[] | 'all'
  ref: number
  hosts: readonly string[]
  /** False once a part was dropped: the rest is useless then. */
  sent: boolean
}

export class OutgoingParts {
  readonly #open = new Map<string, OutgoingPublication>()
  #lastId = 0

  nextId(): number {
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1
    return this.#lastId
  }

  begin(worker: string, publication: OutgoingPublication): void {
    this.#open.set(worker, publication)
  }

  get(worker: string): OutgoingPublication | undefined {
    return this.#open.get(worker)
  }

  end(worker: string): void {
    this.#open.delete(worker)
  }
}

interface IncomingPublication {
  host: string
  id: number
  /** Bytes that have arrived. */
  at: number
  rest: number
  ref: number | undefined
  /** Nothing of it has arrived since the last look. */
  isIdle: boolean
}

export interface IncomingPartsOptions {
  /** Without a part for this long, up to twice as long, a publication is abandoned. */
  idleMs: number
  maxOpen?: number
  /** The rest of the worker's publication does not come. */
  abandoned(worker: string): void
}

/** Hosts have few workers: this many publications in parts at a time are the work of a fault. */
const MAX_OPEN = 4_096

/** Workers are named as on a link. */
export class IncomingParts {
  readonly #options: IncomingPartsOptions
  readonly #open = new Map<string, IncomingPublication>()
  #sweep: NodeJS.Timeout | undefined

  constructor(options: IncomingPartsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  /** @returns false if too many are open: it has to be dropped */
  begin(worker: string, host: string, { part, ref, body }: PublicationMessage): boolean {
    this.#open.delete(worker)
    if (part === undefined) return true
    if (this.#open.size >= (this.#options.maxOpen ?? MAX_OPEN)) return false
    const { id, rest } = part
    this.#open.set(worker, { host, id, at: body.length, rest, ref, isIdle: false })
    this.#sweep ??= setTimeout(() => this.#look(), this.#options.idleMs)
    return true
  }

  /**
   * @returns its publication: with a `rest` of 0 this was its last part; `undefined` if the part does not
   * follow the last one
   */
  part(worker: string, { id, at, body }: PartMessage): IncomingPublication | undefined {
    const open = this.#open.get(worker)
    if (open === undefined) return undefined
    if (open.id !== id || open.at !== at || body.length > open.rest) {
      this.abandon(worker)
      return undefined
    }
    open.at += body.length
    open.rest -= body.length
    open.isIdle = false
    if (open.rest === 0) this.#open.delete(worker)
    return open
  }

  abandon(worker: string): void {
    if (this.#open.delete(worker)) this.#options.abandoned(worker)
  }

  /** Messages of the host may be lost. */
  abandonHost(host: string): void {
    for (const [worker, open] of this.#open) if (open.host === host) this.abandon(worker)
  }

  close(): void {
    clearTimeout(this.#sweep)
    this.#open.clear()
  }

  /** Two looks are necessary: after a pause of this process the parts that wait are read before the second. */
  #look(): void {
    for (const [worker, open] of this.#open) {
      if (open.isIdle) this.abandon(worker)
      open.isIdle = true
    }
    this.#sweep = this.#open.size === 0 ? undefined : setTimeout(() => this.#look(), this.#options.idleMs)
  }
}
