/** Typed events. A listener that throws keeps no other from being called. */
import { Listeners } from '../core/listeners.ts'

export class Emitter<E extends { [event: string]: unknown[] }> {
  readonly #lists = new Map<keyof E, Listeners<unknown[]>>()
  readonly #failed: (error: unknown) => void

  /** @param failed told of what a listener throws */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** @returns takes the listener away again */
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
