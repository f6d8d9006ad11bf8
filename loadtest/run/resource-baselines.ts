/**
 * Counts the servers' resources before a load, and after it until they have returned to that or time is up.
 */

import { baselineRows, hasReturned } from '../measure/resources/compare-resources.ts'
import { countResources } from '../measure/resources/count-resources.ts'
import type { ResourceCounts } from '../model/resources.ts'
import type { Baseline } from '../model/result.ts'
import type { RunningTarget } from '../model/target.ts'
import { nowMs } from '../system/clock.ts'
import { waitUntil } from './wait.ts'

/** Time between counts: each costs every process a garbage collection. */
const EVERY_MS = 3_000
/** Time for counts to become stable after clients connected. */
const STEADY_MS = 60_000

type Clients = Baseline['clients']

export interface ResourceBaselinesOptions {
  target: RunningTarget
  returnMs: number
  stop: AbortSignal
}

export class ResourceBaselines {
  readonly #options: ResourceBaselinesOptions
  readonly #before = new Map<Clients, ResourceCounts>()
  readonly #compared: Baseline[] = []

  constructor(options: ResourceBaselinesOptions) {
    this.#options = options
  }

  get compared(): readonly Baseline[] {
    return this.#compared
  }

  /** Resolves when two counts in a row agree, or time is up. @throws if a server does not respond */
  async note(clients: Clients): Promise<void> {
    const deadlineAt = nowMs() + STEADY_MS
    let earlier = await this.#take()
    while (earlier !== undefined && nowMs() < deadlineAt && (await this.#waitForNext())) {
      const later = await this.#take()
      if (later === undefined) return
      this.#before.set(clients, later)
      if (baselineRows(earlier, later, clients).every(isSame)) return
      earlier = later
    }
  }

  /** Compares with the count before, if there is one. @throws if a server does not respond */
  async compare(clients: Clients): Promise<void> {
    const before = this.#before.get(clients)
    if (before === undefined) return
    const quietAt = nowMs()
    for (;;) {
      const after = await this.#take()
      if (after === undefined) return
      const rows = baselineRows(before, after, clients)
      const waitedMs = nowMs() - quietAt
      const isOver =
        rows.every(hasReturned) || waitedMs >= this.#options.returnMs || !(await this.#waitForNext())
      if (isOver) return void this.#compared.push({ clients, waitedMs, rows })
    }
  }

  #take(): Promise<ResourceCounts | undefined> {
    return countResources(this.#options.target)
  }

  async #waitForNext(): Promise<boolean> {
    await waitUntil(nowMs() + EVERY_MS, this.#options.stop)
    return !this.#options.stop.aborted
  }
}

/** For counts that must match exactly; the others change all the time. */
const isSame = ({ before, after, most }: Baseline['rows'][number]): boolean =>
  most !== before || after === before
