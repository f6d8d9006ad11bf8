/**
 * Receipts of publications over all hosts: each host reports which of its workers a publication was passed
 * to. A receipt is complete when every host has reported, is gone, or the deadline has passed. Bounded:
 * beyond the limit a publication does not wait for other hosts.
 */

/** Limit of open receipts. */
const MAX_OPEN = 16_384

interface OpenReceipt {
  worker: string
  ref: number
  waiting: Set<string>
  reached: string[]
  timer: NodeJS.Timeout
}

export interface NewReceipt {
  worker: string
  ref: number
  /** Local workers that it was passed to. */
  reached: readonly string[]
  /** Hosts that have to report. */
  hosts: readonly string[]
}

export class RelayReceipts {
  readonly #open = new Map<string, OpenReceipt>()
  readonly #timeoutMs: number
  readonly #onComplete: (worker: string, ref: number, reached: readonly string[]) => void
  readonly #maxOpen: number

  /** @param onComplete called once for each receipt */
  constructor(
    timeoutMs: number,
    onComplete: (worker: string, ref: number, reached: readonly string[]) => void,
    maxOpen = MAX_OPEN,
  ) {
    this.#timeoutMs = timeoutMs
    this.#onComplete = onComplete
    this.#maxOpen = maxOpen
  }

  get size(): number {
    return this.#open.size
  }

  open({ worker, ref, reached, hosts }: NewReceipt): void {
    const key = keyOf(worker, ref)
    if (hosts.length === 0 || this.#open.size >= this.#maxOpen || this.#open.has(key))
      return this.#onComplete(worker, ref, reached)
    const timer = setTimeout(() => this.#complete(key), this.#timeoutMs)
    this.#open.set(key, { worker, ref, waiting: new Set(hosts), reached: [...reached], timer })
  }

  /** @param workers by their names on a link of this host */
  received(host: string, { worker, ref }: { worker: string; ref: number }, workers: readonly string[]): void {
    const key = keyOf(worker, ref)
    const open = this.#open.get(key)
    if (open?.waiting.delete(host) !== true) return
    open.reached.push(...workers)
    this.#check(key, open)
  }

  /** The report of this host may be lost: does not wait for it. */
  skipHost(host: string): void {
    for (const [key, open] of this.#open) if (open.waiting.delete(host)) this.#check(key, open)
  }

  completeAll(): void {
    for (const key of this.#open.keys()) this.#complete(key)
  }

  /** The publishing worker is gone. */
  forget(worker: string): void {
    for (const [key, open] of this.#open) {
      if (open.worker !== worker) continue
      clearTimeout(open.timer)
      this.#open.delete(key)
    }
  }

  close(): void {
    for (const { timer } of this.#open.values()) clearTimeout(timer)
    this.#open.clear()
  }

  #check(key: string, open: OpenReceipt): void {
    if (open.waiting.size === 0) this.#complete(key)
  }

  #complete(key: string): void {
    const open = this.#open.get(key)
    if (open === undefined) return
    clearTimeout(open.timer)
    this.#open.delete(key)
    this.#onComplete(open.worker, open.ref, open.reached)
  }
}

const keyOf = (worker: string, ref: number) => `${worker} ${ref}`
