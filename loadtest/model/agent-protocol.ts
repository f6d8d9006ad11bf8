/**
 * IPC messages between the coordinator and its client processes (agents), with `serialization: 'advanced'`.
 * Both ends check what they receive. All times are those of `system/clock.ts`.
 */
import { z } from 'zod'
import { ClientKind, ClientPlan, Dialect, Load } from './plan.ts'

export const AGENT_PROTOCOL = 1

const at = z.number()
/** A time, or NaN. */
const atOrNever = z.union([at, z.nan()])
/** Clients of this agent, by their index in the whole fleet. */
const clients = z.array(z.int().min(0))

export const AgentCommand = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('begin'),
    protocol: z.literal(AGENT_PROTOCOL),
    agent: z.int().min(0),
    seed: z.int(),
    /**
     * Prefix of every message id, so messages of another run are recognized as foreign. Also part of user
     * names.
     */
    run: z.string().regex(/^[a-z0-9]{4,12}$/),
    dialect: Dialect,
    kind: ClientKind,
    clients: z.array(ClientPlan),
    /** Indexes of all clients of the fleet that send. */
    senders: z.array(z.int().min(0)),
    /** Most deliveries that the agent records; beyond that the run is invalid. */
    recordLimit: z.int().positive(),
  }),
  z.strictObject({ type: z.literal('connect'), at }),
  /**
   * The load of the whole fleet. Each agent computes the same schedule and sends only the messages of its own
   * clients, so arrivals do not depend on the number of agents.
   */
  z.strictObject({ type: z.literal('load'), at, load: Load, seed: z.int() }),
  /** `at` has one time for each of `clients`. */
  z.strictObject({ type: z.literal('cut'), clients, at: z.array(at), offlineMs: z.number().min(0) }),
  z.strictObject({ type: z.literal('leave'), clients, at: z.array(at) }),
  /** From `at` on, clients read as their plan says. */
  z.strictObject({ type: z.literal('slow'), at }),
  /** Measure when each client is served again after `at`. */
  z.strictObject({ type: z.literal('trackRecovery'), at }),
  /** Stop sending. The answer is `state`, each time it is asked for. */
  z.strictObject({ type: z.literal('settle') }),
  z.strictObject({ type: z.literal('records') }),
  z.strictObject({ type: z.literal('end') }),
])
export type AgentCommand = z.infer<typeof AgentCommand>

/** HdrHistogram V2, compressed, base64; values are microseconds. */
const Encoded = z.string()

const count = z.int().min(0)

/** What happened since the last report. */
export const AgentSecond = z.strictObject({
  type: z.literal('second'),
  at,
  /**
   * Sends that were due, made, acked, refused (by code), and finally without an answer. A due send that was
   * not made counts as refused: `offline` (`bench`, `bare`: the sender was not connected) or `backlog`
   * (`chat`: too many sends are waiting).
   */
  due: count,
  sent: count,
  acked: count,
  refused: z.record(z.string(), count),
  unanswered: count,
  /** Deliveries, duplicates not counted. */
  delivered: count,
  /** Now. */
  connected: count,
  joined: count,
  /** Connections that the agent did not end itself. */
  disconnects: count,
  connectErrors: z.record(z.string(), count),
  /**
   * `delivery`, `ack`: from a message's due time. `connect`: from the start of a connection to the last join.
   * `back`: from a cut or loss to joined again.
   */
  delivery: Encoded,
  ack: Encoded,
  connect: Encoded,
  back: Encoded,
  /** From `trackRecovery` to a client's first ack and first delivery of messages due since then. */
  recovery: Encoded,
  /** This process's event-loop delay (99th percentile), CPU time, and largest delay of a send. */
  eventLoopDelayP99Ms: z.number(),
  cpuMs: z.number(),
  lateMs: z.number(),
})
export type AgentSecond = z.infer<typeof AgentSecond>

const MemberRecord = z.strictObject({
  client: z.int(),
  room: z.string(),
  /** When it first joined. */
  joinedAt: z.number(),
  /** NaN: it did not leave. */
  leftAt: atOrNever,
  /** `chat`: the log's head at the first join; the messages after it are expected. NaN in other dialects. */
  head: atOrNever,
  /** Of the log; `chat` only. */
  epoch: z.string().optional(),
  /** Message keys in order of delivery (see delivery-records.ts). */
  keys: z.instanceof(Float64Array),
  /** `chat`: their sequence numbers. */
  seqs: z.instanceof(Float64Array).optional(),
  /** Ids that this run cannot have made, at most 20, and how many there were. */
  foreignIds: z.array(z.string()),
  foreignCount: count,
  /** Pairs of times: away since, back at (NaN: never). */
  absences: z.array(z.tuple([at, atOrNever])),
})

/** One part of an agent's delivery records. The columns of `sends` have the same length. */
export const AgentRecords = z.strictObject({
  type: z.literal('records'),
  /** More parts follow. */
  more: z.boolean(),
  overflowed: z.boolean(),
  sends: z.strictObject({
    keys: z.instanceof(Float64Array),
    rooms: z.array(z.string()),
    sentAt: z.instanceof(Float64Array),
    /** NaN: never. */
    ackedAt: z.instanceof(Float64Array),
    /** `chat`: the sequence number in the ack. NaN in other dialects and without an ack. */
    seqs: z.instanceof(Float64Array),
    /** 1: refused, not to be retried. */
    refused: z.instanceof(Uint8Array),
  }),
  members: z.array(MemberRecord),
})
export type AgentRecords = z.infer<typeof AgentRecords>

export const AgentReport = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  AgentSecond,
  /**
   * `outstanding`: sends without an answer plus, as far as the agent can tell, deliveries still to come.
   * `joined`: clients that are live.
   */
  z.strictObject({ type: z.literal('state'), outstanding: count, joined: count, lastDeliveryAt: at }),
  AgentRecords,
  z.strictObject({ type: z.literal('failed'), reason: z.string() }),
])
export type AgentReport = z.infer<typeof AgentReport>
