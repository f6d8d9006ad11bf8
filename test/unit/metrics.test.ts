import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { hostMetrics } from '../../src/ops/host-metrics.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { createRegistry, mergeMetrics } from '../../src/ops/metrics.ts'

const logger = createLogger({ level: 'silent', format: 'json' })

function workerRegistry(connections: number): Registry {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'rookery_messages_total', help: 'h', labelNames: ['kind'], registers }).inc(
    { kind: 'text' },
    2,
  )
  new Gauge({ name: 'rookery_worker_connections', help: 'h', registers }).set(connections)
  new Gauge({ name: 'rookery_highest', help: 'h', registers, aggregator: 'max' }).set(connections)
  new Histogram({ name: 'rookery_wait_seconds', help: 'h', buckets: [0.1, 1], registers }).observe(0.5)
  return registry
}

/** As it comes over the link: through JSON. */
const jsonOf = async (registry: Registry) => JSON.parse(JSON.stringify(await registry.getMetricsAsJSON()))

describe('metrics of several processes', () => {
  it('are summed, or merged as they say, and those of a worker keep its name', async () => {
    const { text, malformed } = await mergeMetrics([
      { process: 'w1', metrics: await jsonOf(workerRegistry(3)) },
      { process: 'w2', metrics: await jsonOf(workerRegistry(5)) },
    ])
    expect(malformed).toEqual([])
    expect(text).toContain('rookery_messages_total{kind="text"} 4')
    expect(text).toContain('rookery_highest 5')
    expect(text).toContain('rookery_worker_connections{worker="w1"} 3')
    expect(text).toContain('rookery_worker_connections{worker="w2"} 5')
    expect(text).toContain('rookery_wait_seconds_bucket{le="0.1"} 0')
    expect(text).toContain('rookery_wait_seconds_bucket{le="+Inf"} 2')
    expect(text).toContain('rookery_wait_seconds_count 2')
  })

  it('leave out a process whose metrics are not well formed', async () => {
    const good = { process: 'w1', metrics: await jsonOf(workerRegistry(1)) }
    for (const metrics of [[null], ['x'], [{ name: 'a' }], [{ ...good.metrics[0], aggregator: 'evil' }]]) {
      const { text, malformed } = await mergeMetrics([good, { process: 'w2', metrics }])
      expect(malformed).toEqual(['w2'])
      expect(text).toContain('rookery_messages_total{kind="text"} 2')
    }
  })

  it('pass over values that JSON could not carry', async () => {
    const registry = workerRegistry(1)
    new Gauge({ name: 'rookery_odd', help: 'h', registers: [registry] }).set(Number.NaN)
    const { text, malformed } = await mergeMetrics([{ process: 'w1', metrics: await jsonOf(registry) }])
    expect(malformed).toEqual([])
    expect(text).not.toMatch(/^rookery_odd /m)
  })

  it('have those of the process itself under the prefix of all others', async () => {
    const { text } = await mergeMetrics([{ process: 'primary', metrics: await jsonOf(createRegistry()) }])
    const names = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((line) => !line.startsWith('rookery_'))).toEqual([])
  })
})

describe('metrics of a host', () => {
  it('come without a worker that is silent or talks nonsense, which is counted', async () => {
    const registry = new Registry()
    const workers = new Map<string, () => Promise<unknown[]>>([
      ['w1', () => jsonOf(workerRegistry(3))],
      ['w2', () => new Promise(() => undefined)],
      ['w3', () => Promise.resolve(['nonsense'])],
    ])
    const collect = hostMetrics({ registry, logger, workers: () => workers, deadlineMs: 50 })
    expect(await collect()).toContain('rookery_worker_connections{worker="w1"} 3')
    expect(await collect()).toContain('rookery_metrics_missing_total 2')
  })
})
