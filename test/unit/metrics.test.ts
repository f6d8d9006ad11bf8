import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { hostMetrics } from '../../src/ops/host-metrics.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { createRegistry, type MetricJson, mergeMetrics, parseMetrics } from '../../src/ops/metrics.ts'

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

/** As it arrives over the link: through JSON. */
const jsonOf = async (registry: Registry): Promise<unknown[]> =>
  JSON.parse(JSON.stringify(await registry.getMetricsAsJSON()))

async function metricsOf(registry: Registry): Promise<MetricJson[]> {
  return parseMetrics(await jsonOf(registry)) ?? []
}

describe('metrics of several processes', () => {
  it('are summed, or merged as declared, and those of a worker keep its name', async () => {
    const text = await mergeMetrics([
      { process: 'w1', metrics: await metricsOf(workerRegistry(3)) },
      { process: 'w2', metrics: await metricsOf(workerRegistry(5)) },
    ])
    expect(text).toContain('rookery_messages_total{kind="text"} 4')
    expect(text).toContain('rookery_highest 5')
    expect(text).toContain('rookery_worker_connections{worker="w1"} 3')
    expect(text).toContain('rookery_worker_connections{worker="w2"} 5')
    expect(text).toContain('rookery_wait_seconds_bucket{le="0.1"} 0')
    expect(text).toContain('rookery_wait_seconds_bucket{le="+Inf"} 2')
    expect(text).toContain('rookery_wait_seconds_count 2')
  })

  it('are refused when they are malformed', async () => {
    const [good] = await jsonOf(workerRegistry(1))
    expect(parseMetrics([good])).toHaveLength(1)
    for (const bad of [null, 'x', { name: 'a' }, { ...(good as object), aggregator: 'evil' }]) {
      expect(parseMetrics([good, bad])).toBeUndefined()
    }
  })

  it('skip values that JSON cannot carry', async () => {
    const registry = workerRegistry(1)
    new Gauge({ name: 'rookery_odd', help: 'h', registers: [registry] }).set(Number.NaN)
    const text = await mergeMetrics([{ process: 'w1', metrics: await metricsOf(registry) }])
    expect(text).toContain('rookery_highest 1')
    expect(text).not.toMatch(/^rookery_odd /m)
  })

  it('include those of the process itself under the common prefix', async () => {
    const text = await mergeMetrics([{ process: 'primary', metrics: await metricsOf(createRegistry()) }])
    expect(text).toMatch(/^rookery_process_resident_memory_bytes\{worker="primary"\} \d+$/m)
    const names = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((line) => !line.startsWith('rookery_'))).toEqual([])
  })
})

describe('metrics of a host', () => {
  it('leave out a worker that is silent or sends malformed data, and count it', async () => {
    const registry = new Registry()
    const workers = new Map<string, () => Promise<unknown[]>>([
      ['w1', () => jsonOf(workerRegistry(3))],
      ['w2', () => new Promise(() => undefined)],
      ['w3', () => Promise.resolve(['nonsense'])],
    ])
    const collect = hostMetrics({ registry, logger, workers: () => workers, deadlineMs: 50 })
    const text = await collect()
    expect(text).toContain('rookery_worker_connections{worker="w1"} 3')
    expect(text).toContain('rookery_metrics_missing_total 2')
  })

  it('count a worker once if it exits during two concurrent scrapes', async () => {
    const workers = new Map<string, () => Promise<unknown[]>>()
    const collect = hostMetrics({ registry: new Registry(), logger, workers: () => workers })
    workers.set('w1', () => jsonOf(workerRegistry(1)))
    await collect()
    const answers: ((json: unknown[]) => void)[] = []
    workers.set('w1', () => new Promise((resolve) => answers.push(resolve)))
    const first = collect()
    workers.delete('w1')
    const second = collect()
    for (const answer of answers) answer(await jsonOf(workerRegistry(1)))
    const third = [await first, await second, await collect(), await collect()].map(
      (text) => /rookery_messages_total\{kind="text"\} (\d+)/.exec(text)?.[1],
    )
    expect(third).toEqual(['2', '2', '2', '2'])
  })

  it('never go back when a worker is silent, malformed, exited or replaced', async () => {
    const workers = new Map<string, () => Promise<unknown[]>>()
    const collect = hostMetrics({
      registry: new Registry(),
      logger,
      workers: () => workers,
      deadlineMs: 50,
    })
    const total = async () => /rookery_messages_total\{kind="text"\} (\d+)/.exec(await collect())?.[1]
    workers.set('w1', () => jsonOf(workerRegistry(1))).set('w2', () => jsonOf(workerRegistry(1)))
    expect(await total()).toBe('4')
    workers.set('w2', () => new Promise(() => undefined))
    expect(await total()).toBe('4')
    workers.set('w2', () => Promise.resolve([null]))
    expect(await total()).toBe('4')
    workers.delete('w2')
    expect(await total()).toBe('4')
    workers.delete('w1')
    workers.set('w3', () => jsonOf(workerRegistry(1)))
    expect(await total()).toBe('6')
    const text = await collect()
    expect(text).toContain('rookery_wait_seconds_count 3')
    expect(text).not.toContain('worker="w1"')
  })
})
