/** The result of a run: the only source of what is shown on a terminal, on a page, and in comparisons. */
import { z } from 'zod'
import { ClientKind, Dialect } from './plan.ts'

export const RESULT_VERSION = 1

const count = z.int().min(0)
const ms = z.number()

/** Milliseconds, of an HDR histogram merged over all processes; percentiles are never averaged. */
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

/** What was due, and what the auditor found. */
export const Verdict = z.strictObject({
  /** False: one of lost, doubled, outOfOrder, phantom is not 0, or the delivery records overflowed. */
  ok: z.boolean(),
  /** Sends that fell due. Those that were not made found their sender away or its backlog full. */
  due: count,
  /** Made, and these by their end: acked, refused for good, without an answer. */
  sent: count,
  acked: count,
  refused: count,
  unanswered: count,
  /** Deliveries of acked messages that were owed, and those that came. */
  expected: count,
  delivered: count,
  /** Owed and never shown; of these: sent or acked while that member was away. */
  lost: count,
  lostWhileAway: count,
  /** Shown to the same member more than once. */
  doubled: count,
  /** `chat`: against the sequence, or another message at a sequence number than somebody else has. `bench`: against the sender's own order. */
  outOfOrder: count,
  /** Pairs of neighbours in one member's order that another member has the other way round. Not promised by Socket.IO; part of `outOfOrder` for `chat`. */
  ordersDiffer: count,
  /** Never sent by this run. */
  phantom: count,
  /** Shown though never acked: allowed (the ack may be lost), and told. */
  shownUnacked: count,
  overflowed: z.boolean(),
  /** At most 20, for a person. */
  examples: z.array(z.string()),
})
export type Verdict = z.infer<typeof Verdict>
/** What the ledger alone tells. */
export type Audited = Omit<Verdict, 'due'>

/** One second of the run. */
export const Second = z.strictObject({
  /** Of its end, from the run's zero: when all had joined. Negative while they connect. */
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
  /** CPU time of the servers by role, as cores (1 = one core). */
  cpuCores: z.record(z.string(), z.number()),
  /** Of the whole fleet. */
  fleetCpuCores: z.number(),
  rssBytes: z.record(z.string(), z.number()),
  /** The worst of all server processes; null where it is not known. */
  eventLoopDelayP99Ms: ms.nullable(),
  redisBytesOut: z.number().nullable(),
})
export type Second = z.infer<typeof Second>

export const Check = z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string() })
export type Check = z.infer<typeof Check>

/** What servers hold when all is quiet, before a run's load and after it. */
export const Baseline = z.strictObject({
  /** At which moment of its life the fleet was. */
  clients: z.enum(['none', 'all']),
  /** From when all was quiet to the reading that stands for the end: the first in which all is back, or the last of the time for it. */
  waitedMs: ms,
  rows: z.array(
    z.strictObject({
      /** The processes of one role on one host together, or Redis. */
      of: z.string(),
      what: z.string(),
      unit: z.enum(['count', 'bytes']),
      before: z.number(),
      after: z.number(),
      /** What `after` may be; null: told, not judged. */
      least: z.number().nullable(),
      most: z.number().nullable(),
      /** Which kinds of it there are more or fewer of. */
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
  /** By name: what the servers and the clients are built of. */
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
  /** All that was asked for, by name, defaults included. */
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  seed: z.int(),
  machine: Machine,
  startedAt: z.iso.datetime(),
  durationMs: ms,
  clients: z.strictObject({
    asked: count,
    joined: count,
    perAgent: z.array(count),
    /** Of each host: its clients that were away once or more after they had joined. */
    away: z.array(count),
  }),
  latency: z.strictObject({
    delivery: LatencySummary,
    ack: LatencySummary,
    connect: LatencySummary,
    back: LatencySummary,
  }),
  /** Where clients were looked at after the last fault: from its end until each had an ack and was shown something said since. */
  revival: LatencySummary.optional(),
  timeline: z.array(Second),
  /** Faults, cuts and the beginnings of loads, on the timeline's axis. */
  marks: z.array(z.strictObject({ atMs: ms, label: z.string() })),
  refusals: z.record(z.string(), count),
  connectErrors: z.record(z.string(), count),
  server: z
    .strictObject({
      /** While there was load. */
      cpuMsByRole: z.record(z.string(), z.number()),
      /** Microseconds of all roles together; null without messages. */
      cpuUsPerMessage: z.number().nullable(),
      cpuUsPerDelivery: z.number().nullable(),
      /** Largest sum over all processes. */
      rssMaxBytes: z.number(),
      /** Resident memory after the connecting less that before it, a client. */
      rssPerClientBytes: z.number().nullable(),
      eventLoopDelayP99Ms: ms.nullable(),
      redisBytesOut: z.number().nullable(),
    })
    .nullable(),
  /** Where a run counts what the servers hold. */
  baselines: z.array(Baseline).optional(),
  generator: z.strictObject({
    agents: z.array(
      z.strictObject({ cpuShare: z.number(), eventLoopDelayP99Ms: ms, lateMaxMs: ms, clients: count }),
    ),
  }),
  verdict: Verdict,
  checks: z.array(Check),
  /** False: the figures must not be used; `invalid` says why (the generator was the bottleneck, a server died by itself …). */
  valid: z.boolean(),
  invalid: z.array(z.string()),
  interrupted: z.boolean(),
  /** Of a search for the limit: the steps in their order. */
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
