/** The result of a run, the only source of terminal output, page and comparisons. */
import { z } from 'zod'
import { ClientKind, Dialect } from './plan.ts'

export const RESULT_VERSION = 1

const count = z.int().min(0)
const ms = z.number()

/** Milliseconds, from an HDR histogram merged over all processes; percentiles are never averaged. */
export const LatencySummary = z.strictObject({
  count,
  minMs: ms,
  meanMs: ms,
  p50Ms: ms,
  p90Ms: ms,
  p99Ms: ms,
  p999Ms: ms,
  maxMs: ms,
  /** HdrHistogram V2, compressed, base64; microseconds. */
  encoded: z.string(),
})
export type LatencySummary = z.infer<typeof LatencySummary>

/** The verdict of the audit. */
export const Verdict = z.strictObject({
  /** False if lost, doubled, outOfOrder or phantom is not 0, or the delivery records overflowed. */
  ok: z.boolean(),
  /** Due sends. Those that were not made found their sender offline or its backlog full. */
  due: count,
  /** Sends that were made, and how they ended: acked, refused for good, or without an answer. */
  sent: count,
  acked: count,
  refused: count,
  unanswered: count,
  /** Expected deliveries of acked messages, and those that arrived. */
  expected: count,
  delivered: count,
  /** Expected and never delivered; of these: sent or acked while that member was away. */
  lost: count,
  lostWhileAway: count,
  /** Delivered to the same member more than once. */
  doubled: count,
  /**
   * `chat`: not in sequence, or a different message at a sequence number than for another member. `bench`:
   * not in the sender's order.
   */
  outOfOrder: count,
  /**
   * Neighbouring pairs in one member's order that another member has reversed. Socket.IO does not promise a
   * common order; part of `outOfOrder` for `chat`.
   */
  ordersDiffer: count,
  /** Delivered, but never sent by this run. */
  phantom: count,
  /** Delivered though never acked: allowed, since an ack may be lost. */
  shownUnacked: count,
  overflowed: z.boolean(),
  /** At most 20, for the reader. */
  examples: z.array(z.string()),
})
export type Verdict = z.infer<typeof Verdict>
/** What follows from the delivery records alone. */
export type Audited = Omit<Verdict, 'due'>

/** One second of the run. */
export const Second = z.strictObject({
  /** End of the second, from the run's zero (all joined). Negative while clients connect. */
  atMs: ms,
  due: count,
  sent: count,
  acked: count,
  refused: count,
  delivered: count,
  connected: count,
  joined: count,
  disconnects: count,
  deliveryP50Ms: ms,
  deliveryP99Ms: ms,
  deliveryMaxMs: ms,
  /** CPU time of the servers by role, in cores (1 = one core). */
  cpuCores: z.record(z.string(), z.number()),
  /** Of the whole fleet. */
  fleetCpuCores: z.number(),
  rssBytes: z.record(z.string(), z.number()),
  /** Worst of all server processes; null if unknown. */
  eventLoopDelayP99Ms: ms.nullable(),
  redisBytesOut: z.number().nullable(),
})
export type Second = z.infer<typeof Second>

export const Check = z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string() })
export type Check = z.infer<typeof Check>

/** Resource counts of the servers while idle, before and after a run's load. */
export const Baseline = z.strictObject({
  /** Whether no clients or all clients were connected. */
  clients: z.enum(['none', 'all']),
  /**
   * From the end of the load to the last count: the first with everything back, or the last before the
   * deadline.
   */
  waitedMs: ms,
  rows: z.array(
    z.strictObject({
      /** The processes of one role on one host together, or Redis. */
      of: z.string(),
      what: z.string(),
      unit: z.enum(['count', 'bytes']),
      before: z.number(),
      after: z.number(),
      /** Allowed range of `after`; null: not judged. */
      least: z.number().nullable(),
      most: z.number().nullable(),
      /** Kinds of which there are more or fewer. */
      changed: z.string(),
    }),
  ),
})
export type Baseline = z.infer<typeof Baseline>

export const Machine = z.strictObject({
  cpu: z.string(),
  cores: z.int(),
  memoryBytes: z.number(),
  os: z.string(),
  node: z.string(),
  /** Versions by name: packages that the servers and clients use. */
  packages: z.record(z.string(), z.string()),
  redis: z.string().nullable(),
  /** Load average before the run. */
  loadAverage: z.number(),
})
export type Machine = z.infer<typeof Machine>

export const RunResult = z.strictObject({
  version: z.literal(RESULT_VERSION),
  tool: z.strictObject({ version: z.string(), commit: z.string().nullable() }),
  scenario: z.strictObject({ name: z.string(), title: z.string(), invariant: z.string() }),
  target: z.strictObject({ name: z.string(), title: z.string(), hosts: z.int(), workersPerHost: z.int() }),
  dialect: Dialect,
  kind: ClientKind,
  /** All options by name, defaults included. */
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  seed: z.int(),
  machine: Machine,
  startedAt: z.iso.datetime(),
  durationMs: ms,
  clients: z.strictObject({
    asked: count,
    joined: count,
    perAgent: z.array(count),
    /** Per host: clients that were away at least once after they had joined. */
    away: z.array(count),
  }),
  latency: z.strictObject({
    delivery: LatencySummary,
    ack: LatencySummary,
    connect: LatencySummary,
    back: LatencySummary,
  }),
  /** After the last fault: from its end until each client had an ack and a delivery of messages due since. */
  revival: LatencySummary.optional(),
  timeline: z.array(Second),
  /** Faults, cuts and starts of loads, on the timeline's axis. */
  marks: z.array(z.strictObject({ atMs: ms, label: z.string() })),
  refusals: z.record(z.string(), count),
  connectErrors: z.record(z.string(), count),
  server: z
    .strictObject({
      /** CPU time during load. */
      cpuMsByRole: z.record(z.string(), z.number()),
      /** Microseconds of all roles together; null without messages. */
      cpuUsPerMessage: z.number().nullable(),
      cpuUsPerDelivery: z.number().nullable(),
      /** Largest sum over all processes. */
      rssMaxBytes: z.number(),
      /** Growth of resident memory while clients connected, per client. */
      rssPerClientBytes: z.number().nullable(),
      eventLoopDelayP99Ms: ms.nullable(),
      redisBytesOut: z.number().nullable(),
    })
    .nullable(),
  /** In runs that count resources. */
  baselines: z.array(Baseline).optional(),
  generator: z.strictObject({
    agents: z.array(
      z.strictObject({ cpuShare: z.number(), eventLoopDelayP99Ms: ms, lateMaxMs: ms, clients: count }),
    ),
  }),
  verdict: Verdict,
  checks: z.array(Check),
  /**
   * False: the figures must not be used. `invalid` says why (the generator was the bottleneck, a server
   * crashed …).
   */
  valid: z.boolean(),
  invalid: z.array(z.string()),
  interrupted: z.boolean(),
  /** Steps of a search for the limit, in order. */
  steps: z
    .array(
      z.strictObject({
        ratePerSec: z.number(),
        deliveredPerSec: z.number(),
        deliveryP99Ms: ms,
        cpuUsPerMessage: z.number().nullable(),
        held: z.boolean(),
      }),
    )
    .nullable(),
})
export type RunResult = z.infer<typeof RunResult>
