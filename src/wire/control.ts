/**
 * Messages between primary and worker on Node's IPC channel: control messages, besides the handles of the
 * sticky protocol. Any other message (pm2's `axm:*`, say) is counted and ignored.
 */
import { z } from 'zod'
import type { Endpoint } from '../core/destination.ts'
import type { Placement } from '../core/placement.ts'

/** Longest stack that a worker tells. */
export const START_FAILURE_CHARS = 20_000

/** Where a worker serves Socket.IO, and what it accepts there. */
const endpoint = z.object({
  path: z.string().max(1024).regex(/^\//),
  protocols: z
    .array(z.enum(['3', '4']))
    .min(1)
    .readonly(),
  transports: z
    .array(z.enum(['polling', 'websocket']))
    .min(1)
    .readonly(),
}) satisfies z.ZodType<Endpoint>

/** Which pages of other origins may read responses. */
const corsPolicy = z.object({
  /** `*`: all. */
  origin: z.union([z.literal('*'), z.array(z.string()).readonly()]),
  /** Their pages may send cookies. Browsers accept that only with listed origins. */
  credentials: z.boolean(),
})
export type CorsPolicy = z.infer<typeof corsPolicy>

/** What chooses the worker of a new session, if the application says so. */
const placement = z.object({
  from: z.enum(['query', 'header', 'cookie']),
  name: z.string().min(1).max(256),
}) satisfies z.ZodType<Placement>

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)

/** Why a worker could not start. */
const startFailure = z.object({
  /** It happened in the application, or as it was loaded. */
  isApp: z.boolean(),
  /** With the stacks of its causes. */
  stack: z.string().max(START_FAILURE_CHARS),
  /** File and line. */
  at: z.string().optional(),
  advice: z.string().optional(),
})
export type StartFailure = z.infer<typeof startFailure>

/** Worker → primary. */
export const workerControl = z.discriminatedUnion('type', [
  /** The worker listens now: it wants its start parameters. What is sent earlier is lost. */
  z.object({ type: z.literal('rookery:hello') }),
  z.object({
    type: z.literal('rookery:ready'),
    endpoint,
    /** Unset where only the application can tell. */
    cors: corsPolicy.optional(),
    /** Time within which a living connection carries a byte. */
    heartbeatMs: z.number().min(0),
    placement: placement.optional(),
  }),
  /**
   * The message for connection `id` has arrived. `arrived` is false if the connection was closed before it
   * was sent.
   */
  z.object({ type: z.literal('rookery:taken'), id: z.int().min(1), arrived: z.boolean() }),
  /**
   * With a kept connection, whose next request is not for this worker. `data` was read from it and comes
   * first; empty if its next request has not begun.
   */
  z.object({ type: z.literal('rookery:hand-back'), data: bytes }),
  z.object({ type: z.literal('rookery:failed'), reason: z.string(), start: startFailure.optional() }),
  /** An error that belongs to no client leaves this worker in doubt: another one is to take its place, in order. */
  z.object({ type: z.literal('rookery:replace'), reason: z.string() }),
  /** The answer to `rookery:ping`. `inspected`: a debugger may stop the worker (its inspector is open). */
  z.object({ type: z.literal('rookery:pong'), inspected: z.boolean() }),
  /** From sticky's `setupWorker`: an Engine.IO session began or ended. */
  z.object({ type: z.literal('sticky:connection'), data: z.string() }),
  z.object({ type: z.literal('sticky:disconnection'), data: z.string() }),
])
export type WorkerControl = z.infer<typeof workerControl>
/** What a worker says of itself when it is ready. */
export type WorkerDoor = Pick<
  Extract<WorkerControl, { type: 'rookery:ready' }>,
  'endpoint' | 'cors' | 'heartbeatMs' | 'placement'
>

/** Primary → worker. */
export const primaryControl = z.discriminatedUnion('type', [
  /** Close all connections, spread over `spreadMs`, and exit. After `deadlineMs` the worker is killed. */
  z.object({
    type: z.literal('rookery:drain'),
    spreadMs: z.number().min(0),
    deadlineMs: z.number().min(0),
  }),
  /**
   * The worker answers `rookery:pong`, which proves that it reads this channel. `inspected`: a debugger may stop
   * the primary.
   */
  z.object({ type: z.literal('rookery:ping'), inspected: z.boolean() }),
])
export type PrimaryControl = z.infer<typeof primaryControl>
// The schema is completed at its first use, which must not come after the application's code: see `adapterMessage`.
primaryControl.safeParse({})

/** Primary → worker, with a connection: sticky's message, with more fields that sticky ignores. */
export const handOverMessage = z.object({
  type: z.literal('sticky:connection'),
  /** Never used twice for one worker. */
  id: z.int().min(1),
  /** The bytes that were read from the connection. */
  data: bytes,
  /** The client's address, if it is not the connection's own: another host or a proxy has told it. */
  client: z.object({ address: z.string(), port: z.int() }).optional(),
})
export type HandOverMessage = z.infer<typeof handOverMessage>

/**
 * Primary → worker: its start parameters, in answer to `rookery:hello`. Not in the environment, which child processes inherit and others
 * can read.
 */
export const workerBoot = z.object({
  type: z.literal('rookery:boot'),
  /** Unique on the host, never reused while the primary runs: `w1`, `w2` … */
  name: z.string(),
  /** The tag of this worker in session ids: host tag and worker number. */
  tag: z.string(),
  host: z.string(),
  linkPath: z.string(),
  linkSecret: z.string(),
  /** The settings, loaded and checked by the primary. */
  config: z.string(),
  /** The log is in Redis, not in this host's DATA_DIR. */
  hasSharedLog: z.boolean(),
  /** Keys of the settings that do not have their defaults. */
  given: z.array(z.string()),
  /** What the primary knows of the clock (core/clock-filter.ts). */
  clock: z.object({ zeroMs: z.number(), agesFromMs: z.number() }),
})
export type WorkerBoot = z.infer<typeof workerBoot>
