/**
 * What the coordinator and its client processes (agents) say to each other over IPC (`serialization: 'advanced'`). Both ends check
 * what they get. All times are those of `clock.ts`.
 */
import { z } from 'zod'
import { ClientKind, ClientPlan, Dialect, Load } from './plan.ts'

export const AGENT_PROTOCOL = 1

const at = z.number()
/** A time, or NaN. */
const atOrNever = z.union([at, z.nan()])
/** Clients of this agent, by their index over the whole fleet. */
const clients = z.array(z.int().min(0))

export const AgentCommand = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('begin'),
    protocol: z.literal(AGENT_PROTOCOL),
    agent: z.int().min(0),
    seed: z.int(),
    /** Begins the id of each message, so that those of another run are known as strangers. Also part of user names. */
    run: z.string().regex(/^[a-z0-9]{4,12}$/),
    dialect: Dialect,
    kind: ClientKind,
    clients: z.array(ClientPlan),
    /** All clients of the fleet that send, by their index. */
    senders: z.array(z.int().min(0)),
    /** Deliveries that the agent writes down at most; beyond it the run is invalid. */
    recordLimit: z.int().positive(),
  }),
  z.strictObject({ type: z.literal('connect'), at }),
  /**
   * The load of the whole fleet. Each agent makes the same schedule of it, and sends what falls to its own clients: so the shares
   * sum to the whole, and the arrivals are the same whatever the number of agents.
   */
  z.strictObject({ type: z.literal('load'), at, load: Load, seed: z.int() }),
  /** Each of `clients` at its own moment. */
  z.strictObject({ type: z.literal('cut'), clients, at: z.array(at), offlineMs: z.number().min(0) }),
  z.strictObject({ type: z.literal('leave'), clients, at: z.array(at) }),
  /** From `at` on clients read as their plan says. */
  z.strictObject({ type: z.literal('slow'), at }),
  /** From now on it is looked when each client is served again. */
  z.strictObject({ type: z.literal('trackRecovery'), at }),
  /** Nothing new is sent; the answer is `state`, as often as it is asked. */
  z.strictObject({ type: z.literal('settle') }),
  z.strictObject({ type: z.literal('records') }),
  z.strictObject({ type: z.literal('end') }),
])
export type AgentCommand = z.infer<typeof AgentCommand>

/** HdrHistogram V2, compressed, base64; values are microseconds. */
const Encoded = z.string()

const count = z.int().min(0)

/** What happened since the report before. */
export const AgentSecond = z.strictObject({
  type: z.literal('second'),
  at,
  /**
   * Sends that were due, were made, acked, refused (by code), and are without an answer for good. What was due and not made is
   * refused as `offline` (`bench`, `bare`: the sender was not there) or `backlog` (`chat`: too much waits already).
   */
  due: count,
  sent: count,
  acked: count,
  refused: z.record(z.string(), count),
  unanswered: count,
  /** Messages shown to clients for the first time. */
  delivered: count,
  /** Now. */
  connected: count,
  joined: count,
  /** Connections that ended without this agent's doing. */
  disconnects: count,
  connectErrors: z.record(z.string(), count),
  /** From the moment a message was due to its showing, to its ack; from a connection's beginning to the last join; from a cut or loss to joined again. */
  delivery: Encoded,
  ack: Encoded,
  connect: Encoded,
  back: Encoded,
  /** From `revive` to a client's first ack and first showing of messages that were due since. */
  recovery: Encoded,
  /** Of this process: event-loop delay (99th percentile, ms), CPU time (ms) and how late sends were made (largest, ms). */
  eventLoopDelayP99Ms: z.number(),
  cpuMs: z.number(),
  lateMs: z.number(),
})
export type AgentSecond = z.infer<typeof AgentSecond>

const MemberRecord = z.strictObject({
  client: z.int(),
  room: z.string(),
  /** First `joined`. */
  joinedAt: z.number(),
  /** NaN: it stayed. */
  leftAt: atOrNever,
  /** `chat`: the log's head when it joined first; what follows is owed to it. NaN elsewhere. */
  head: atOrNever,
  /** Of the log, `chat` alone. */
  epoch: z.string().optional(),
  /** In the order of showing: keys of messages (see ledger.ts). */
  keys: z.instanceof(Float64Array),
  /** `chat`: their sequence numbers. */
  seqs: z.instanceof(Float64Array).optional(),
  /** Texts of ids that this run cannot have made, at most 20, and how many there were. */
  foreignIds: z.array(z.string()),
  foreignCount: count,
  /** Pairs of times: away from, back at (NaN: never). */
  absences: z.array(z.tuple([at, atOrNever])),
})

/** The agent's part of the ledger. Sends are columns of the same length. */
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
    /** `chat`: the sequence number of the ack. NaN elsewhere, and where there was none. */
    seqs: z.instanceof(Float64Array),
    /** 1: refused for good. */
    refused: z.instanceof(Uint8Array),
  }),
  members: z.array(MemberRecord),
})
export type AgentRecords = z.infer<typeof AgentRecords>

export const AgentReport = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  AgentSecond,
  /** `owed`: sends without an answer plus, as far as the agent can tell, deliveries that must still come; `joined`: clients that are live. */
  z.strictObject({ type: z.literal('state'), outstanding: count, joined: count, lastDeliveryAt: at }),
  AgentRecords,
  z.strictObject({ type: z.literal('failed'), reason: z.string() }),
])
export type AgentReport = z.infer<typeof AgentReport>
