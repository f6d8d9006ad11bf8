/** The figures of a run compared with values calculated by hand. */
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { describe, expect, it } from 'vitest'
import { CounterSum } from '../../loadtest/measure/counter-sum.ts'
import { GENERATOR_LIMITS, judgeGenerator } from '../../loadtest/measure/generator-health.ts'
import { emptyHistogram, merged, percentileMs, summaryOf } from '../../loadtest/measure/histograms.ts'
import { cpuFrom, privateRssFrom, processKeyFrom, rssFrom } from '../../loadtest/measure/proc-parser.ts'
import { growthIn, sumAt } from '../../loadtest/measure/samples.ts'
import { serverFigures } from '../../loadtest/measure/server-figures.ts'
import type { ServerSample } from '../../loadtest/measure/server-sampler.ts'
import { timelineOf } from '../../loadtest/measure/timeline.ts'
import type { AgentSecond } from '../../loadtest/model/agent-protocol.ts'
import { redisVersionFrom } from '../../loadtest/system/machine.ts'
import { redisFiguresFrom } from '../../loadtest/targets/redis-info.ts'

function histogramOf(...valuesMs: number[]): string {
  const histogram = emptyHistogram()
  for (const ms of valuesMs) histogram.recordValue(ms * 1_000)
  return encodeIntoCompressedBase64(histogram)
}

const EMPTY = histogramOf()

const report = (at: number, more: Partial<AgentSecond> = {}): AgentSecond => ({
  type: 'second',
  at,
  due: 0,
  sent: 0,
  acked: 0,
  refused: {},
  unanswered: 0,
  delivered: 0,
  connected: 0,
  joined: 0,
  disconnects: 0,
  connectErrors: {},
  delivery: EMPTY,
  ack: EMPTY,
  connect: EMPTY,
  back: EMPTY,
  recovery: EMPTY,
  eventLoopDelayP99Ms: 0,
  cpuMs: 0,
  lateMs: 0,
  ...more,
})

const sample = (at: number, more: Partial<ServerSample> = {}): ServerSample => ({
  at,
  cpuMs: {},
  rssBytes: {},
  eventLoopDelayP99Ms: null,
  redisBytesOut: null,
  ...more,
})

describe('histograms of several processes', () => {
  it('give the percentiles of all values, not an average of percentiles', () => {
    const quick = histogramOf(...Array.from({ length: 99 }, () => 1))
    const slow = histogramOf(1_000)
    const all = summaryOf(merged([quick, EMPTY, slow, EMPTY]))
    expect(all.count).toBe(100)
    expect(all.p99Ms).toBeCloseTo(1, 2)
    // 99.9 % of 100 values is the 100th: the slow one. The average of both processes' p99 would be 500 ms.
    expect(all.p999Ms / 1_000).toBeCloseTo(1, 3)
    expect(all.minMs).toBeCloseTo(1, 2)
    expect(all.maxMs / 1_000).toBeCloseTo(1, 3)
    expect(all.meanMs).toBeCloseTo((99 + 1_000) / 100, 1)
  })

  it('count repeated values as often as they occurred', () => {
    expect(merged([histogramOf(5), histogramOf(5), histogramOf(7)]).totalCount).toBe(3)
  })

  it('can be restored from their summary', () => {
    const { encoded } = summaryOf(merged([histogramOf(3, 4), histogramOf(500_000)]))
    expect(summaryOf(merged([encoded])).count).toBe(3)
    expect(percentileMs(merged([encoded]), 100) / 500_000).toBeCloseTo(1, 3)
  })

  it('are zero without values', () => {
    expect(summaryOf(merged([EMPTY, EMPTY]))).toMatchObject({
      count: 0,
      minMs: 0,
      meanMs: 0,
      p99Ms: 0,
      maxMs: 0,
    })
  })

  it('accept histograms of the same range that other programs have built', () => {
    const foreign = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 600_000_000,
      numberOfSignificantValueDigits: 3,
    })
    foreign.recordValue(600_000_000)
    expect(percentileMs(merged([encodeIntoCompressedBase64(foreign)]), 50) / 600_000).toBeCloseTo(1, 2)
  })

  it('refuse data that is not a histogram', () => {
    expect(() => merged(['bm8gaGlzdG9ncmFt'])).toThrow()
  })
})

describe('sums of counters', () => {
  it('start at the first sample, keep the counts of dead processes, and count new ones from zero', () => {
    const sum = new CounterSum()
    expect(sum.take([{ key: 'a', group: 'worker', value: 500 }])).toEqual({ worker: 0 })
    expect(
      sum.take([
        { key: 'a', group: 'worker', value: 530 },
        { key: 'b', group: 'worker', value: 20 },
        { key: 'c', group: 'redis', value: 7 },
      ]),
    ).toEqual({ worker: 50, redis: 7 })
    expect(sum.take([{ key: 'b', group: 'worker', value: 25 }])).toEqual({ worker: 55, redis: 7 })
    expect(sum.take([])).toEqual({ worker: 55, redis: 7 })
  })

  it('continue across a counter that was reset', () => {
    const sum = new CounterSum()
    for (const value of [1_000, 1_400, 30]) sum.take([{ key: 'redis', group: 'redis', value }])
    expect(sum.take([{ key: 'redis', group: 'redis', value: 50 }])).toEqual({ redis: 450 })
  })
})

describe('data from Linux and Redis', () => {
  const stat =
    '4242 (a) name) S (x) S 1 4242 4242 0 -1 4194560 900 0 3 0 150 50 7 9 20 0 11 0 123456 1000000 250 18446744073709551615'

  it('is parsed after a name that contains brackets', () => {
    const plain = stat.replace('(a) name) S (x)', '(node)')
    for (const text of [plain, stat]) {
      expect(cpuFrom(text, { ticksPerSec: 100, pageBytes: 4_096 })).toBe(2_000)
      expect(cpuFrom(text, { ticksPerSec: 1_000, pageBytes: 4_096 })).toBe(200)
      expect(processKeyFrom(17, text)).toBe('17 123456')
    }
  })

  it('gives memory in pages', () => {
    expect(rssFrom('250000 1200 900 10 0 3000 0\n', { ticksPerSec: 100, pageBytes: 4_096 })).toBe(
      1_200 * 4_096,
    )
  })

  it('gives memory that no file backs', () => {
    const status = 'Name:\tnode\nVmRSS:\t   90000 kB\nRssAnon:\t   60000 kB\nRssFile:\t   30000 kB\n'
    expect(privateRssFrom(status)).toBe(60_000 * 1_024)
  })

  it("gives Redis' figures and version", () => {
    const info =
      '# Clients\r\nconnected_clients:9\r\n# Stats\r\ntotal_commands_processed:77\r\ntotal_net_input_bytes:1000\r\ntotal_net_output_bytes:2500\r\ntotal_net_repl_output_bytes:3\r\n'
    expect(redisFiguresFrom(info)).toEqual({ bytesIn: 1_000, bytesOut: 2_500, commands: 77, connections: 9 })
    expect(() => redisFiguresFrom('connected_clients:9')).toThrow('total_net_input_bytes')
    expect(redisVersionFrom('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc')).toBe('7.0.15')
    expect(redisVersionFrom('')).toBeNull()
  })
})

const pick = ({ cpuMs }: ServerSample) => cpuMs['worker'] ?? 0

describe('samples', () => {
  const samples = [
    sample(1_000, { cpuMs: { worker: 0 } }),
    sample(2_000, { cpuMs: { worker: 600 } }),
    sample(4_000, { cpuMs: { worker: 700 } }),
  ]
  it('grow evenly between two samples and are constant outside of them', () => {
    const moments = [0, 1_000, 1_500, 2_000, 3_000, 4_000, 9_000]
    expect(moments.map((at) => sumAt(samples, at, pick))).toEqual([0, 0, 300, 600, 650, 700, 700])
    expect(sumAt([], 1_000, pick)).toBe(0)
    expect(growthIn(samples, { fromAt: 1_500, toAt: 3_000 }, pick)).toBe(350)
  })
})

describe('the timeline', () => {
  const agents = [
    {
      seconds: [
        report(9_100, { connected: 3, joined: 2 }),
        report(10_100, {
          connected: 4,
          joined: 4,
          due: 5,
          sent: 5,
          acked: 4,
          delivery: histogramOf(1, 2),
          delivered: 2,
          cpuMs: 100,
        }),
        report(11_100, {
          connected: 4,
          joined: 4,
          due: 5,
          sent: 5,
          acked: 5,
          refused: { unavailable: 1, draining: 2 },
        }),
      ],
    },
    {
      // It had nothing to report for the second at 11 s: a timer was late.
      seconds: [
        report(9_300, { connected: 1, joined: 1 }),
        report(10_300, {
          connected: 2,
          joined: 2,
          delivered: 1,
          delivery: histogramOf(900),
          cpuMs: 50,
          disconnects: 1,
        }),
        report(11_900, { connected: 1, joined: 1, due: 7, sent: 6 }),
      ],
    },
  ]
  const samples = [
    sample(9_000, { cpuMs: { primary: 0, worker: 0 }, rssBytes: { worker: 10 }, redisBytesOut: 0 }),
    sample(10_000, {
      cpuMs: { primary: 100, worker: 500 },
      rssBytes: { worker: 20 },
      eventLoopDelayP99Ms: 12,
      redisBytesOut: 1_000,
    }),
    sample(11_000, {
      cpuMs: { primary: 200, worker: 1_500 },
      rssBytes: { worker: 30 },
      redisBytesOut: 3_000,
    }),
  ]
  const timeline = timelineOf(agents, samples, 10_000)

  it('counts from the start of the run, each report once', () => {
    expect(timeline.map(({ atMs }) => atMs)).toEqual([-1_000, 0, 1_000, 2_000])
    expect(timeline.map(({ due }) => due)).toEqual([0, 5, 5, 7])
    expect(timeline.map(({ sent }) => sent)).toEqual([0, 5, 5, 6])
    expect(timeline.map(({ acked }) => acked)).toEqual([0, 4, 5, 0])
    expect(timeline.map(({ refused }) => refused)).toEqual([0, 0, 3, 0])
    expect(timeline.map(({ disconnects }) => disconnects)).toEqual([0, 1, 0, 0])
  })

  it('keeps the last known number of connections', () => {
    expect(timeline.map(({ connected }) => connected)).toEqual([4, 6, 6, 5])
    expect(timeline.map(({ joined }) => joined)).toEqual([3, 6, 6, 5])
  })

  it('merges the latencies of a second', () => {
    const [, second, empty] = timeline
    expect(second?.delivered).toBe(3)
    expect(second?.deliveryP50Ms).toBeCloseTo(2, 2)
    expect((second?.deliveryMaxMs ?? 0) / 900).toBeCloseTo(1, 3)
    expect(empty?.deliveryP99Ms).toBe(0)
  })

  it('has the usage of the servers and the fleet in each second', () => {
    expect(timeline.map(({ cpuCores }) => cpuCores)).toEqual([
      { primary: 0, worker: 0 },
      { primary: 0.1, worker: 0.5 },
      { primary: 0.1, worker: 1 },
      { primary: 0, worker: 0 },
    ])
    expect(timeline.map(({ fleetCpuCores }) => fleetCpuCores)).toEqual([0, 0.15, 0, 0])
    expect(timeline.map(({ rssBytes }) => rssBytes['worker'])).toEqual([10, 20, 30, 30])
    expect(timeline.map(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms)).toEqual([null, 12, null, null])
    expect(timeline.map(({ redisBytesOut }) => redisBytesOut)).toEqual([0, 1_000, 2_000, 0])
  })

  it('is empty without reports, and knows nothing about servers that run elsewhere', () => {
    expect(timelineOf([{ seconds: [] }], samples, 0)).toEqual([])
    const [second] = timelineOf([{ seconds: [report(1_000)] }], [], 0)
    expect(second).toMatchObject({
      cpuCores: {},
      rssBytes: {},
      eventLoopDelayP99Ms: null,
      redisBytesOut: null,
    })
  })
})

describe("the servers' figures", () => {
  const samples = [
    sample(0, {
      cpuMs: { primary: 0, worker: 0 },
      rssBytes: { primary: 50_000, worker: 100_000 },
      redisBytesOut: 0,
    }),
    sample(10_000, {
      cpuMs: { primary: 1_000, worker: 4_000 },
      rssBytes: { primary: 60_000, worker: 190_000 },
      eventLoopDelayP99Ms: 90,
      redisBytesOut: 500,
    }),
    sample(20_000, {
      cpuMs: { primary: 1_500, worker: 6_000 },
      rssBytes: { primary: 60_000, worker: 150_000 },
      eventLoopDelayP99Ms: 8,
      redisBytesOut: 900,
    }),
    sample(30_000, {
      cpuMs: { primary: 1_600, worker: 6_100 },
      rssBytes: { primary: 60_000, worker: 150_000 },
      eventLoopDelayP99Ms: 70,
      redisBytesOut: 950,
    }),
  ]
  const connecting = { fromAt: 0, toAt: 10_000, clients: 100 }

  it('are the cost of the loads, over all roles, without the time before and after', () => {
    const loads = [{ fromAt: 10_000, toAt: 20_000 }]
    expect(serverFigures(samples, loads, { messages: 1_000, deliveries: 5_000 }, connecting)).toEqual({
      cpuMsByRole: { primary: 500, worker: 2_000 },
      cpuUsPerMessage: 2_500,
      cpuUsPerDelivery: 500,
      rssMaxBytes: 250_000,
      rssPerClientBytes: 1_000,
      eventLoopDelayP99Ms: 8,
      redisBytesOut: 400,
    })
  })

  it('add up over several loads', () => {
    const loads = [
      { fromAt: 5_000, toAt: 10_000 },
      { fromAt: 20_000, toAt: 30_000 },
    ]
    const figures = serverFigures(samples, loads, { messages: 100, deliveries: 0 }, connecting)
    expect(figures).toMatchObject({ cpuMsByRole: { primary: 600, worker: 2_100 }, cpuUsPerMessage: 27_000 })
    expect(figures?.cpuUsPerDelivery).toBeNull()
    expect(figures?.eventLoopDelayP99Ms).toBe(90)
  })

  it('are absent for servers that run elsewhere, and for no clients', () => {
    const none = { messages: 0, deliveries: 0 }
    expect(serverFigures([sample(0), sample(1_000)], [], none, connecting)).toBeNull()
    expect(serverFigures(samples, [], none, { ...connecting, clients: 0 })).toMatchObject({
      cpuUsPerMessage: null,
      rssPerClientBytes: null,
    })
  })
})

const MEASURED = [{ fromAt: 0, toAt: 20_000 }]

const reports = (count: number, bad: (second: number) => Partial<AgentSecond>) =>
  Array.from({ length: count }, (_, index) => report((index + 1) * 1_000, bad(index + 1)))

const judge = (bad: (second: number) => Partial<AgentSecond>) =>
  judgeGenerator(
    [
      { clients: 7, seconds: reports(25, () => ({ cpuMs: 100 })) },
      { clients: 8, seconds: reports(25, bad) },
    ],
    MEASURED,
  )

const judgeShort = (...late: number[]) =>
  judgeGenerator(
    [{ clients: 1, seconds: reports(late.length, (second) => ({ lateMs: late[second - 1] ?? 0 })) }],
    MEASURED,
  )

describe('the generator', () => {
  it('is no bottleneck when idle', () => {
    const { agents, bottleneck } = judge(() => ({ cpuMs: 890, eventLoopDelayP99Ms: 50, lateMs: 50 }))
    expect(bottleneck).toEqual([])
    expect(agents).toEqual([
      { clients: 7, cpuShare: 0.1, eventLoopDelayP99Ms: 0, lateMaxMs: 0 },
      { clients: 8, cpuShare: 0.89, eventLoopDelayP99Ms: 50, lateMaxMs: 50 },
    ])
  })

  it('is a bottleneck when an agent has used up its core', () => {
    expect(judge(() => ({ cpuMs: 950 })).bottleneck).toEqual(['agent 1 used 95 % of a core'])
  })

  it('may have one bad second in ten, not more', () => {
    const late = (count: number) => judge((second) => ({ lateMs: second <= count ? 51 : 0 })).bottleneck
    expect(late(2)).toEqual([])
    expect(late(3)).toEqual(['agent 1 sent more than 50 ms late in 3 of 20 measured seconds'])
    const slow = judge((second) => ({
      eventLoopDelayP99Ms: second % 2 === 0 ? GENERATOR_LIMITS.eventLoopDelayMs + 1 : 0,
    }))
    expect(slow.bottleneck).toEqual([
      'agent 1 had its event loop late by more than 50 ms in 10 of 20 measured seconds',
    ])
  })

  it('is not judged by seconds without measurements', () => {
    expect(judge((second) => (second > 20 ? { cpuMs: 1_000, lateMs: 900 } : {})).bottleneck).toEqual([])
  })

  it('may have one bad second in a short run', () => {
    expect(judgeShort(0, 300, 0).bottleneck).toEqual([])
    expect(judgeShort(200, 300, 0).bottleneck).toHaveLength(1)
  })

  it('weights a late report by the time that it covers', () => {
    const stretched = [report(1_000, { cpuMs: 500 }), report(3_000, { cpuMs: 1_000 })]
    expect(judgeGenerator([{ clients: 1, seconds: stretched }], MEASURED).agents[0]?.cpuShare).toBe(0.5)
  })
})
