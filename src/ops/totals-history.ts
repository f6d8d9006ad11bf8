/**
 * Keeps the counters of workers that have exited or do not answer, so that the totals of a host never
 * decrease when a worker is replaced. Prometheus would take a decrease for a restart and count the rest a
 * second time. Holds the last answer of each worker and one sum of all that have exited. What a worker
 * counted after its last answer is lost.
 */
import { addTotals, type MetricJson, type ProcessMetrics, totalsOf } from './metrics.ts'

export class TotalsHistory {
  readonly #last = new Map<string, MetricJson[]>()
  #departed: MetricJson[] = []

  /**
   * One call at a time.
   * @param answered the metrics of the workers that answered
   * @param silent workers that run but did not answer
   * @returns what to add to `answered` for the host's totals
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
