/**
 * What primary and worker say to each other on Node's own IPC channel: control alone, beside the handles that sticky's
 * protocol passes there. Anything that fits none of these (pm2's `axm:*`, say) is counted and passed over.
 */
import { z } from 'zod'

/** Worker → primary. */
export const workerControl = z.discriminatedUnion('type', [
  z.object({ type: z.literal('rookery:ready') }),
  /**
   * The message that hands over connection `id` has come, and with it the connection, or not: then it had been closed
   * before it was sent.
   */
  z.object({ type: z.literal('rookery:taken'), id: z.int().min(1), arrived: z.boolean() }),
  z.object({ type: z.literal('rookery:failed'), reason: z.string() }),
  /** To `rookery:ping`. */
  z.object({ type: z.literal('rookery:pong') }),
  /** From sticky's `setupWorker`: an Engine.IO session began or ended. */
  z.object({ type: z.literal('sticky:connection'), data: z.string() }),
  z.object({ type: z.literal('sticky:disconnection'), data: z.string() }),
])
export type WorkerControl = z.infer<typeof workerControl>

/** Primary → worker. */
export const primaryControl = z.discriminatedUnion('type', [
  /** Close every connection, spread over `spreadMs`, and leave. */
  z.object({ type: z.literal('rookery:drain'), spreadMs: z.number().min(0) }),
  /** Says that the worker reads this channel, by a `rookery:pong`. */
  z.object({ type: z.literal('rookery:ping') }),
])
export type PrimaryControl = z.infer<typeof primaryControl>

/** Primary → worker, with a connection: sticky's message, and an id beside it that sticky passes over. */
export const handOverMessage = z.object({
  type: z.literal('sticky:connection'),
  /** Never used twice towards one worker. */
  id: z.int().min(1),
  /** What was read of the connection. */
  data: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  /** Only of a connection that came through another host: where the client's own came from. */
  client: z.object({ address: z.string(), port: z.int() }).optional(),
})
export type HandOverMessage = z.infer<typeof handOverMessage>

/** What a worker is given when it is forked, as one JSON value in the environment variable `ROOKERY_WORKER`. */
export const workerBoot = z.object({
  /** Unique on the host, never used again while the primary lives: `w1`, `w2` … */
  name: z.string(),
  /** The tag of this worker in session ids: host tag and number, `[A-Za-z0-9_-]`. */
  tag: z.string(),
  host: z.string(),
  linkPath: z.string(),
  linkSecret: z.string(),
  /** The settings, as the primary loaded and checked them. */
  config: z.string(),
})
export type WorkerBoot = z.infer<typeof workerBoot>
