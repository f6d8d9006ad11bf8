/**
 * What a run consists of, as data: which clients connect when and how, and what happens at which time. Knows
 * no processes and no sockets.
 */
import { z } from 'zod'

/**
 * How clients and server communicate.
 * `chat`: this project's chat with its durable log (`room:join`, `message:send` …; clients resume).
 * `bench`: the module `apps/bench.js`, which runs on every Socket.IO server: rooms and broadcasts that are
 * not stored.
 * `bare`: the same as `bench` with JSON texts over plain WebSockets, without Socket.IO.
 */
export const Dialect = z.enum(['chat', 'bench', 'bare'])
export type Dialect = z.infer<typeof Dialect>

/** `raw`: this tool's lean client, for load. `stock`: socket.io-client, for realistic behaviour. */
export const ClientKind = z.enum(['raw', 'stock'])
export type ClientKind = z.infer<typeof ClientKind>

/** `upgrade`: long polling first, then WebSocket, the default in browsers. */
export const Transport = z.enum(['websocket', 'polling', 'upgrade'])
export type Transport = z.infer<typeof Transport>

/**
 * Applies from the step `slow` on. `never`: reads nothing from its socket while it is in its rooms. A number:
 * bytes per second.
 */
export const ReadSpeed = z.union([z.literal('all'), z.literal('never'), z.number().positive()])
export type ReadSpeed = z.infer<typeof ReadSpeed>

/** One client, in whichever process it runs. */
export const ClientPlan = z.strictObject({
  /** From 0, over all processes of the fleet. */
  index: z.int().min(0),
  url: z.string(),
  /** Loopback address to connect from, so that one address does not run out of ports. */
  localAddress: z.string().optional(),
  transport: Transport,
  /** Names of the rooms that it joins. */
  rooms: z.array(z.string()),
  /** After the start of `connect`. */
  connectAtMs: z.number().min(0),
  reads: ReadSpeed,
  /** Takes part in `load`. */
  sends: z.boolean(),
})
export type ClientPlan = z.infer<typeof ClientPlan>

/** An open-loop load: arrivals are scheduled ahead, whatever the server does. */
export const Load = z.strictObject({
  durationMs: z.number().positive(),
  /** Of the whole fleet; each process gets its share. */
  ratePerSec: z.number().positive(),
  /** `even`: equal intervals. `poisson`: independent of each other, drawn from the seed. */
  arrivals: z.enum(['even', 'poisson']),
  /** Time at the start in which the rate rises linearly from 0 to `ratePerSec`. */
  rampMs: z.number().min(0),
  /** Characters per message. */
  textLength: z.int().min(32).max(4_000),
})
export type Load = z.infer<typeof Load>

/** Which clients: all, a share drawn from the seed, or those connected to one host. */
export const ClientSelection = z.union([
  z.literal('all'),
  z.strictObject({ share: z.number().gt(0).max(1) }),
  z.strictObject({ host: z.int().min(0) }),
])
export type ClientSelection = z.infer<typeof ClientSelection>

/** Connections are destroyed without a close handshake, and come back after `offlineMs`. */
const Cut = z.strictObject({
  selection: ClientSelection,
  offlineMs: z.number().min(0),
  /** Each at a time of its own within this period, drawn from the seed. 0: all at once. */
  spreadMs: z.number().min(0),
})
export type Cut = z.infer<typeof Cut>

/** Clients disconnect properly and come back at once; the rate is that of the whole fleet. */
export const Churn = z.strictObject({ durationMs: z.number().positive(), perSec: z.number().positive() })
export type Churn = z.infer<typeof Churn>

/**
 * Faults that a target can inject into itself. `which`: the index of the host, or of the worker over all
 * hosts.
 * `kill-…`: SIGKILL (`kill-host`: all its processes, `kill-primary`: only the primary). `terminate-…`,
 * `stop-host`: SIGTERM.
 * `pause-…`: SIGSTOP until `resume-…`. `stall-…`: the event loop blocks for some seconds.
 * `…-link`: the host's connection to Redis is cut, frozen (nothing passes, no error is reported), slow, or
 * deaf (responses on the current connections are lost for good).
 */
export const FaultKind = z.enum([
  'kill-worker',
  'terminate-worker',
  'pause-worker',
  'resume-worker',
  'stall-worker',
  'kill-host',
  'kill-primary',
  'stop-host',
  'start-host',
  'pause-host',
  'resume-host',
  'stall-primary',
  'reload',
  'kill-redis',
  'terminate-redis',
  'start-redis',
  'pause-redis',
  'resume-redis',
  'cut-pubsub',
  'cut-normal',
  'cut-link',
  'freeze-link',
  'slow-link',
  'deafen-link',
  'mend-link',
])
export type FaultKind = z.infer<typeof FaultKind>

const atMs = z.number().min(0)

/** What happens at a time of a run, counted from when all clients have joined. */
export const Step = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('load'), atMs, load: Load }),
  z.strictObject({ do: z.literal('cut'), atMs, cut: Cut }),
  z.strictObject({ do: z.literal('churn'), atMs, churn: Churn }),
  z.strictObject({ do: z.literal('fault'), atMs, fault: FaultKind, which: z.int().min(0) }),
  /** From now on clients read no faster than their `reads` allows. */
  z.strictObject({ do: z.literal('slow'), atMs }),
  /** Nothing is sent; measures idle cost. */
  z.strictObject({ do: z.literal('rest'), atMs, durationMs: z.number().positive() }),
])
export type Step = z.infer<typeof Step>

/** A client without its addresses, which the run adds. */
export type HostedClient = Omit<ClientPlan, 'url' | 'localAddress'> & {
  /** Index of the host that it connects to. */
  host: number
}

/** A client as a scenario plans it. */
export type WantedClient = HostedClient & {
  /** Clients that it shares a direct room (`dm:…`) with; `chat` only. */
  directWith?: readonly number[]
}

/**
 * Resources are counted before and after the load, each time without clients and with all of them idle in
 * their rooms.
 */
export interface BaselinePlan {
  /** Load before the first count with clients, so that every client has sent and every room has a history. */
  warmUp: Load
  /** How long counts may take to return after the load; then they are taken as they are. */
  returnMs: number
}

export interface RunPlan {
  clients: readonly WantedClient[]
  steps: readonly Step[]
  /**
   * Starts when the last fault is over, however long that takes. Each client's recovery is measured with it.
   */
  afterFaults?: Load
  /** See BaselinePlan. */
  baseline?: BaselinePlan
  /** How long outstanding deliveries are waited for after the last step. */
  settleMs: number
}
