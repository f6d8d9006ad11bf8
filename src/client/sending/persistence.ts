/**
 * Writes the outbox to the storage: one operation at a time, each with a timeout, none before the stored
 * messages are loaded. A failing storage is reported and blocks nothing.
 */
import { type Clock, noop } from '../connection/clock.ts'
import { ChatError, timedOut } from '../errors.ts'
import type { Pending, PendingStorage } from './storage.ts'

const OPERATION_TIMEOUT_MS = 10_000

export class Persistence {
  readonly #storage: PendingStorage
  readonly #clock: Clock
  readonly #failed: (error: ChatError) => void
  #last: Promise<unknown> = Promise.resolve()
  #order = 0

  constructor(storage: PendingStorage, clock: Clock, failed: (error: ChatError) => void) {
    this.#storage = storage
    this.#clock = clock
    this.#failed = failed
  }

  /** The messages of an earlier run; none if they can't be read. Never rejects. */
  async load(): Promise<Pending[]> {
    let kept: Pending[] = []
    await this.#enqueue(async () => {
      kept = (await this.#storage.load()).filter(isPending)
      this.#order = Math.max(this.#order, ...kept.map(({ order }) => order))
    })
    return kept
  }

  put(pending: Pending): void {
    void this.#enqueue(() => {
      // Numbered here, because the largest stored number is known only after loading.
      if (pending.order === 0) {
        this.#order += 1
        pending.order = this.#order
      }
      return this.#storage.put(pending)
    })
  }

  delete(id: string): void {
    void this.#enqueue(() => this.#storage.delete(id))
  }

  /** Resolves when all operations so far are done or have failed. */
  async idle(): Promise<void> {
    await this.#last
  }

  #enqueue(operation: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(() => this.#runWithTimeout(operation))
    this.#last = turn
    return turn
  }

  async #runWithTimeout(operation: () => Promise<void>): Promise<void> {
    let cancel = noop
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(OPERATION_TIMEOUT_MS, () => reject(timedOut('storage')))
    })
    try {
      await Promise.race([operation(), late])
    } catch (error) {
      const message = `pending sends can't be kept: ${ChatError.from(error).message}`
      this.#failed(new ChatError({ code: 'storage', message, retryable: true }, error))
    } finally {
      cancel()
    }
  }
}

function isPending(value: unknown): value is Pending {
  if (typeof value !== 'object' || value === null) return false
  const { id, room, kind, order } = value as Partial<Record<keyof Pending, unknown>>
  return (
    typeof id === 'string' &&
    typeof room === 'string' &&
    typeof kind === 'string' &&
    typeof order === 'number'
  )
}
