/**
 * The result of a run over HTTP: requests and responses, without messages or an audit. Its JSON is the source
 * of its table.
 */
import { z } from 'zod'
import { Check, LatencySummary, Machine } from '../model/result.ts'

export const HTTP_RESULT_VERSION = 1

const count = z.int().min(0)

export const HttpResult = z.strictObject({
  document: z.literal('http'),
  version: z.literal(HTTP_RESULT_VERSION),
  tool: z.strictObject({ version: z.string(), commit: z.string().nullable() }),
  scenario: z.strictObject({ name: z.string(), title: z.string(), invariant: z.string() }),
  target: z.strictObject({ name: z.string(), title: z.string(), hosts: z.int(), workersPerHost: z.int() }),
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  machine: Machine,
  startedAt: z.iso.datetime(),
  /** Of the load only. */
  durationMs: z.number(),
  requests: z.strictObject({
    connections: count,
    askedPerSec: z.number(),
    /** By the requested rate and time. */
    due: count,
    answered: count,
    answeredPerSec: z.number(),
    /** Responses by status. */
    byStatus: z.record(z.string(), count),
    non2xx: count,
    /** 2xx responses with an unexpected body. */
    mismatches: count,
    errors: count,
    timeouts: count,
    bytes: count,
  }),
  /** Of 2xx responses. `corrected`: includes the wait of requests that a slow response delayed. */
  latency: z.strictObject({ measured: LatencySummary, corrected: LatencySummary }),
  server: z
    .strictObject({
      cpuMsByRole: z.record(z.string(), z.number()),
      cpuUsPerRequest: z.number().nullable(),
      rssMaxBytes: z.number(),
    })
    .nullable(),
  generator: z.strictObject({ cpuShare: z.number(), eventLoopDelayP99Ms: z.number() }),
  checks: z.array(Check),
  valid: z.boolean(),
  invalid: z.array(z.string()),
  interrupted: z.boolean(),
})
export type HttpResult = z.infer<typeof HttpResult>
