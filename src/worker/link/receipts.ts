/** Open publications with a receipt: the sender wants to know which workers got them. */
import { RookeryError } from '../../wire/errors.ts'

/** Called once: with the workers, or with an error (the publication was dropped, or may have been). */
export type ReceiptListener = (workers: readonly string[], error?: RookeryError) => void

export class LinkReceipts {
  readonly #open = new Map<number, ReceiptListener>()
  readonly #maxOpen: number
  #lastRef = 0

  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen
  }

  /**
   * @returns the reference to publish with, or `null` when too many wait (the listener was called with an
   * error)
   */
  open(listener: ReceiptListener): number | null {
    if (this.#open.size >= this.#maxOpen) {
      listener([], new RookeryError('unavailable', 'too many publications wait for their receipt'))
      return null
    }
    do this.#lastRef = (this.#lastRef + 1) >>> 0
    while (this.#lastRef === 0 || this.#open.has(this.#lastRef))
    this.#open.set(this.#lastRef, listener)
    return this.#lastRef
  }

  resolve(ref: number, workers: readonly string[]): void {
    this.#take(ref)?.(workers)
  }

  fail(ref: number): void {
    this.#take(ref)?.([], new RookeryError('unavailable', "the primary can't be reached"))
  }

  forget(ref: number): void {
    this.#open.delete(ref)
  }

  failAll(): void {
    for (const ref of this.#open.keys()) this.fail(ref)
  }

  #take(ref: number): ReceiptListener | undefined {
    const listener = this.#open.get(ref)
    this.#open.delete(ref)
    return listener
  }
}
