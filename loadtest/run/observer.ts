/**
 * Shows a run's progress to the user, and carries the signal that ends it. Keeps nothing that a result needs.
 */

import { merged, percentileMs } from '../measure/histograms.ts'
import type { AgentSecond } from '../model/agent-protocol.ts'
import type { Progress } from '../report/terminal/progress.ts'

export interface RunObserver {
  /** Aborted when the user ends the run. */
  readonly stop: AbortSignal
  /** Live clients, as far as reported. */
  readonly joined: number
  note(line: string): void
  /** @param leftMs estimated time until the end of the run */
  phase(name: string, leftMs?: number): void
  second(agent: number, second: AgentSecond): void
  mark(label: string): void
}

export interface ObserverOptions {
  stop: AbortSignal
  progress: Progress
  clients: number
  now(): number
}

/** Updates once a second, when every client process has reported. */
export class ProgressObserver implements RunObserver {
  readonly stop: AbortSignal
  readonly #options: ObserverOptions
  readonly #beganAt: number
  readonly #latest = new Map<number, AgentSecond>()
  #phase = 'starting'
  #expectedMs: number | null = null
  #disconnects = 0
  #shownAt = 0

  constructor(options: ObserverOptions) {
    this.stop = options.stop
    this.#options = options
    this.#beganAt = options.now()
  }

  get joined(): number {
    return total(this.#latest, 'joined')
  }

  note(line: string): void {
    this.#options.progress.note(line)
  }

  phase(name: string, leftMs?: number): void {
    this.#phase = name
    if (leftMs !== undefined) this.#expectedMs = this.#elapsedMs + leftMs
    this.#show()
  }

  get #elapsedMs(): number {
    return this.#options.now() - this.#beganAt
  }

  mark(label: string): void {
    this.note(`  ${(this.#elapsedMs / 1_000).toFixed(0)} s  ${label}`)
  }

  second(agent: number, second: AgentSecond): void {
    this.#latest.set(agent, second)
    this.#disconnects += second.disconnects
    // All report at the same whole second, one after the other.
    if (this.#options.now() - this.#shownAt < 900) return
    this.#shownAt = this.#options.now()
    this.#show()
  }

  #show(): void {
    const delivery = merged([...this.#latest.values()].map((second) => second.delivery))
    this.#options.progress.show({
      phase: this.#phase,
      elapsedMs: this.#elapsedMs,
      expectedMs: this.#expectedMs,
      clients: this.#options.clients,
      connected: total(this.#latest, 'connected'),
      deliveredPerSec: total(this.#latest, 'delivered'),
      deliveryP99Ms: delivery.totalCount === 0 ? null : percentileMs(delivery, 99),
      problems: this.#disconnects === 0 ? [] : [`${this.#disconnects} disconnects`],
    })
  }
}

function total(
  latest: ReadonlyMap<number, AgentSecond>,
  property: 'joined' | 'connected' | 'delivered',
): number {
  return [...latest.values()].reduce((sum, second) => sum + second[property], 0)
}
