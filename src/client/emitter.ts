/** Typed events. A listener that throws does not affect the others. */
import { Listeners } from '../core/listeners.ts'

export class Emitter<E extends { [event: string]: unknown[] }> {
  readonly #lists = new Map<keyof E, Listeners<unknown[]>>()
  readonly #failed: (error: unknown) => void

  /** @param failed called with what a listener throws */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** @returns a function that removes the listener */
  on<K extends keyof E>(event: K, listener: (...args: E[K]) => void): () => void {
    const list = this.#lists.get(event) ?? new Listeners<unknown[]>(this.#failed)
    this.#lists.set(event, list)
    return list.add((...args) => listener(...(args as E[K])))
  }

  emit<K extends keyof E>(event: K, ...args: E[K]): void {
    this.#lists.get(event)?.call(...args)
  }

  clear(): void {
    this.#lists.clear()
  }
}
