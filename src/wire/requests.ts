/** The requests between a worker and its primary over the link, both ways: parameters and results. */
import { z } from 'zod'
import {
  appendResult,
  author,
  logEntry,
  messageDraft,
  roomName,
  sequence,
  storedUserId as userId,
} from './entry.ts'

const members = z.object({ members: z.array(author), count: z.int().min(0) })
/** A presence session: one connection in one room. Unique on its worker, never used again. */
const sessionId = z.string().min(1).max(64)
/** Unique on its worker, never used again. */
const connectionId = z.string().min(1).max(64)
const nothing = z.null()
/** Of a task that runs on one worker of the cluster at a time. */
const taskName = z.string().min(1).max(100)

const headInfo = z.object({ epoch: z.string(), head: sequence, first: sequence })
const limit = z.int().min(0).max(10_000)
/** Up to `limit` entries: those after a sequence number, those before one, or the newest. */
export const readRange = z.union(
  [
    z.strictObject({ limit, after: sequence }),
    z.strictObject({ limit, before: sequence }),
    z.strictObject({ limit, newest: z.literal(true) }),
  ],
  'a range has a limit of 0 to 10000 and one of after, before and newest: true',
)

/**
 * Worker → primary. `host.alive` only gets an answer. The last three are for hosts whose log is in Redis; an
 * embedded log is read by the workers themselves.
 */
export const workerRequests = {
  'host.alive': { params: nothing, result: nothing },
  /** `limited`: counts against the author's message limit. */
  'log.append': {
    params: z.strictObject({ room: roomName, draft: messageDraft, limited: z.boolean().optional() }),
    result: appendResult,
  },
  'user.track': { params: z.strictObject({ userId, room: roomName }), result: nothing },
  'user.forget': { params: z.strictObject({ userId, room: roomName }), result: nothing },
  'user.read': { params: z.strictObject({ userId, room: roomName, seq: sequence }), result: sequence },
  'presence.enter': { params: z.strictObject({ room: roomName, user: author, sessionId }), result: members },
  'presence.leave': { params: z.strictObject({ room: roomName, userId, sessionId }), result: nothing },
  'presence.members': {
    params: z.strictObject({ room: roomName, search: z.string().optional(), after: userId.optional() }),
    result: members,
  },
  'connection.enter': { params: z.strictObject({ userId, connectionId }), result: nothing },
  /** Counts against the user's limit of pages. */
  'page.take': { params: z.strictObject({ userId }), result: nothing },
  'connection.leave': { params: z.strictObject({ userId, connectionId }), result: nothing },
  /** Takes or renews a lease. `heldMs`: for how long, 0: another worker has it. `ranAgoMs`: since the last run. */
  'lease.hold': {
    params: z.strictObject({ name: taskName }),
    result: z.object({ heldMs: z.number().min(0), ranAgoMs: z.number().min(0).nullable() }),
  },
  /** A run begins, if the answer is true. */
  'lease.ran': { params: z.strictObject({ name: taskName }), result: z.boolean() },
  /** The hosts that are known, this one first. `ageMs`: how old the numbers are. `unknown`: it has not told them yet. */
  'cluster.hosts': {
    params: nothing,
    result: z.array(
      z.object({
        name: z.string(),
        isOwn: z.boolean(),
        state: z.enum(['ok', 'degraded', 'stopping', 'unknown']),
        workers: z.int().min(0),
        connections: z.int().min(0),
        ageMs: z.number().min(0),
      }),
    ),
  },
  'lease.end': { params: z.strictObject({ name: taskName }), result: nothing },
  'log.head': { params: z.strictObject({ room: roomName }), result: headInfo },
  'log.read': {
    params: z.strictObject({ room: roomName, range: readRange }),
    result: headInfo.extend({ entries: z.array(logEntry), more: z.boolean() }),
  },
  'user.rooms': {
    params: z.strictObject({ userId }),
    result: z.array(z.object({ room: roomName, head: sequence, read: sequence, unread: z.int().min(0) })),
  },
} as const

/** Primary → worker. `worker.alive` only gets an answer, so it can't fail for lack of anything else. */
export const primaryRequests = {
  'worker.alive': { params: nothing, result: nothing },
  /** The worker's metrics as prom-client's JSON. */
  'worker.metrics': { params: nothing, result: z.array(z.unknown()) },
  'worker.status': {
    params: nothing,
    result: z.object({
      connections: z.int(),
      sockets: z.int(),
      rooms: z.int(),
      rssBytes: z.int(),
      eventLoopDelayMs: z.number(),
    }),
  },
} as const

export type RequestTable = Readonly<Record<string, { params: z.ZodType; result: z.ZodType }>>
export type WorkerRequests = typeof workerRequests
export type PrimaryRequests = typeof primaryRequests
export type Params<T extends RequestTable, M extends keyof T> = z.infer<T[M]['params']>
export type Result<T extends RequestTable, M extends keyof T> = z.infer<T[M]['result']>

const presenceChange = z.object({
  joined: z.array(author),
  left: z.array(z.object({ id: userId })),
  count: z.int().min(0),
})

/** Events from the primary to workers that are subscribed to a topic. JSON on the link. */
export const primaryEvent = z.discriminatedUnion('type', [
  presenceChange.extend({ type: z.literal('presence'), room: roomName }),
  /**
   * Frames of this room were dropped. Read entries from the log; `presence` holds all missed presence
   * changes.
   */
  z.object({ type: z.literal('behind'), room: roomName, presence: presenceChange.optional() }),
  z.object({ type: z.literal('state'), state: z.enum(['ok', 'degraded']), reason: z.string().optional() }),
])
export type PrimaryEvent = z.infer<typeof primaryEvent>
export type PresenceEvent = PrimaryEvent & { type: 'presence' }
