/**
 * Keeps what workers that are gone or silent have counted, so that the totals of a host never go back when a worker is
 * replaced: Prometheus would take that for a restart and count everything that is left a second time.
 * Holds one answer a worker and one sum of all that are gone; what a worker counted after its last answer is lost.
 */
import { addTotals, type MetricJson, type ProcessMetrics, totalsOf } from './metrics.ts'

export class TotalsHistory {
  readonly #last = new Map<string, MetricJson[]>()
  #departed: MetricJson[] = []

  /**
   * One call at a time.
   * @param answered what the workers say now
   * @param silent workers that are there but did not answer
   * @returns what belongs to the host's totals beside `answered`
   */
  async absent(answered: readonly ProcessMetrics[], silent: readonly string[]): Promise<ProcessMetrics[]> {
    for (const { process, metrics } of answered) this.#last.set(process, totalsOf(metrics))
    const present = new Set([...answered.map(({ process }) => process), ...silent])
    const departed = [...this.#last].filter(([process]) => !present.has(process))
    for (const [process] of departed) this.#last.delete(process)
    if (departed.length > 0) {
      this.#departed = await addTotals([this.#departed, ...departed.map(([, metrics]) => metrics)])
    }
    const ofSilent = silent.map((process) => ({ process, metrics: this.#last.get(process) ?? [] }))
    return [{ process: 'departed', metrics: this.#departed }, ...ofSilent]
  }
}
