/** Registers a gauge whose value is read at each scrape. */

import type { Registry } from 'prom-client'
import { Gauge } from 'prom-client'

export interface GaugeOptions {
  name: string
  help: string
  read: () => number
}

export function registerGauge(registry: Registry, { name, help, read }: GaugeOptions): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read())
      },
    }),
  )
}
