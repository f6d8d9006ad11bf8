/**
 * The state of the connection as the page shows it. A short interruption, such as the restart of a worker, is not shown.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { ConnectionState } from '../../client/index.ts'

/** An interruption that ends sooner is not shown. */
export const SHOWN_AFTER_MS = 1_500

export class ShownState {
  readonly #shown = signal<ConnectionState>('connecting')
  readonly #hasNetwork: () => boolean
  #actual: ConnectionState = 'connecting'
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param hasNetwork false: the browser itself knows that it is offline, which is shown at once */
  constructor(hasNetwork: () => boolean) {
    this.#hasNetwork = hasNetwork
  }

  get value(): ReadonlySignal<ConnectionState> {
    return this.#shown
  }

  update(state: ConnectionState): void {
    this.#actual = state
    const isShort = isConnected(this.#shown.peek()) && isInterrupted(state) && this.#hasNetwork()
    if (!isShort) return this.#show()
    this.#timer ??= setTimeout(() => this.#show(), SHOWN_AFTER_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #show(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#shown.value = this.#actual
  }
}

/** Whether what the server said last is true now. */
export function isConnected(state: ConnectionState): boolean {
  return state === 'online' || state === 'degraded'
}

function isInterrupted(state: ConnectionState): boolean {
  return state === 'offline' || state === 'connecting'
}
