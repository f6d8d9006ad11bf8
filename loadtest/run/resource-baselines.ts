/** Counts what the servers hold before a load, and again after it until it is back to that, or the time for it is over. */

import { baselineRows, isBack } from '../measure/resources/compare-resources.ts'
import { countResources } from '../measure/resources/count-resources.ts'
import type { ResourceCounts } from '../model/resources.ts'
import type { Baseline } from '../model/result.ts'
import type { RunningTarget } from '../model/target.ts'
import { nowMs } from '../system/clock.ts'
import { waitUntil } from './wait.ts'

/** From one look to the next: a look costs every process a garbage collection. */
const EVERY_MS = 3_000
/** For what a crowd's coming leaves under way. */
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

  /** Resolves when two counts say the same, or this takes too long. @throws when a server does not answer */
  async note(clients: Clients): Promise<void> {
    const deadlineAt = nowMs() + STEADY_MS
    let earlier = await this.#take()
    while (earlier !== undefined && nowMs() < deadlineAt && (await this.#goesOn())) {
      const later = await this.#take()
      if (later === undefined) return
      this.#before.set(clients, later)
      if (baselineRows(earlier, later, clients).every(isSame)) return
      earlier = later
    }
  }

  /** Against what was noted; without that it compares nothing. @throws when a server does not answer */
  async compare(clients: Clients): Promise<void> {
    const before = this.#before.get(clients)
    if (before === undefined) return
    const quietAt = nowMs()
    for (;;) {
      const after = await this.#take()
      if (after === undefined) return
      const rows = baselineRows(before, after, clients)
      const waitedMs = nowMs() - quietAt
      const isOver = rows.every(isBack) || waitedMs >= this.#options.returnMs || !(await this.#goesOn())
      if (isOver) return void this.#compared.push({ clients, waitedMs, rows })
    }
  }

  #take(): Promise<ResourceCounts | undefined> {
    return countResources(this.#options.target)
  }

  async #goesOn(): Promise<boolean> {
    await waitUntil(nowMs() + EVERY_MS, this.#options.stop)
    return !this.#options.stop.aborted
  }
}

/** Of what must come back to the very number; the others change all the time. */
const isSame = ({ before, after, most }: Baseline['rows'][number]): boolean =>
  most !== before || after === before
