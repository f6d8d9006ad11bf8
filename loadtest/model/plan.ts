/** What a run consists of, as data: who connects when and how, and what happens at which moment. Knows no process and no socket. */
import { z } from 'zod'

/**
 * How clients and server talk.
 * `chat`: the chat of this project with its durable log (requests `room:join`, `message:send` …; clients resume).
 * `bench`: the module `apps/bench.js`, the same on every Socket.IO server: rooms, and broadcasts that nothing keeps.
 * `bare`: the same as `bench` as JSON texts over plain WebSockets, without Socket.IO.
 */
export const Dialect = z.enum(['chat', 'bench', 'bare'])
export type Dialect = z.infer<typeof Dialect>

/** `raw`: a lean client of this suite, for numbers. `stock`: socket.io-client, for truth. */
export const ClientKind = z.enum(['raw', 'stock'])
export type ClientKind = z.infer<typeof ClientKind>

/** `upgrade`: long polling first, then WebSocket, as a browser does by default. */
export const Transport = z.enum(['websocket', 'polling', 'upgrade'])
export type Transport = z.infer<typeof Transport>

/** From the step `slow` on. `never`: takes nothing from its socket while it is in its rooms. A number: bytes a second. */
export const Reading = z.union([z.literal('all'), z.literal('never'), z.number().positive()])
export type Reading = z.infer<typeof Reading>

/** One client, whichever process it lives in. */
export const ClientPlan = z.strictObject({
  /** From 0, over all processes of the fleet. */
  index: z.int().min(0),
  url: z.string(),
  /** Loopback address to connect from, so that the ports of one address do not run out. */
  localAddress: z.string().optional(),
  transport: Transport,
  /** Names of the rooms that it joins. */
  rooms: z.array(z.string()),
  /** After the beginning of `connect`. */
  connectAtMs: z.number().min(0),
  reads: Reading,
  /** Takes part in `load`. */
  sends: z.boolean(),
})
export type ClientPlan = z.infer<typeof ClientPlan>

/** Messages sent open loop: arrivals are scheduled ahead, whatever the server does. */
export const Load = z.strictObject({
  durationMs: z.number().positive(),
  /** Of the whole fleet; a process gets its share of it. */
  ratePerSec: z.number().positive(),
  /** `even`: at even distances. `poisson`: independent of one another, drawn from the seed. */
  arrivals: z.enum(['even', 'poisson']),
  /** From the beginning on, in which the rate rises evenly from nothing to `ratePerSec`. */
  rampMs: z.number().min(0),
  /** Characters of a message's text. */
  textLength: z.int().min(32).max(4_000),
})
export type Load = z.infer<typeof Load>

/** Whose connections: all, a share drawn from the seed, or those who are connected to one host. */
export const ClientSelection = z.union([
  z.literal('all'),
  z.strictObject({ share: z.number().gt(0).max(1) }),
  z.strictObject({ host: z.int().min(0) }),
])
export type ClientSelection = z.infer<typeof ClientSelection>

/** Connections are destroyed without a goodbye, and come back after `offlineMs`. */
const Cut = z.strictObject({
  selection: ClientSelection,
  offlineMs: z.number().min(0),
  /** Each at a moment of its own, drawn from the seed, within this time. 0: all at once. */
  spreadMs: z.number().min(0),
})
export type Cut = z.infer<typeof Cut>

/** Clients leave in order and come back at once, so many a second over the whole fleet. */
export const Churn = z.strictObject({ durationMs: z.number().positive(), perSec: z.number().positive() })
export type Churn = z.infer<typeof Churn>

/**
 * What a target may be able to do to itself. `which`: the index of the host, or of the worker over all hosts.
 * `kill-…`: SIGKILL (`kill-host`: of all its processes, `kill-primary`: of that one alone). `terminate-…`, `stop-host`: SIGTERM.
 * `pause-…`: SIGSTOP until `resume-…`. `stall-…`: its event loop stands still for some seconds. `…-link`: the host's way to Redis is
 * cut, frozen (nothing passes, nobody is told), slow, or deaf (answers are lost on the connections of now, for good).
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

/** What happens at a moment of a run, counted from when all are connected and have joined. */
export const Step = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('load'), atMs, load: Load }),
  z.strictObject({ do: z.literal('cut'), atMs, cut: Cut }),
  z.strictObject({ do: z.literal('churn'), atMs, churn: Churn }),
  z.strictObject({ do: z.literal('fault'), atMs, fault: FaultKind, which: z.int().min(0) }),
  /** Clients take no more from their sockets from now on than their `reads` allows. */
  z.strictObject({ do: z.literal('slow'), atMs }),
  /** Nothing is sent; for what the idle cost. */
  z.strictObject({ do: z.literal('rest'), atMs, durationMs: z.number().positive() }),
])
export type Step = z.infer<typeof Step>

/** A client without its addresses, which are the fleet's matter. */
export type HostedClient = Omit<ClientPlan, 'url' | 'localAddress'> & {
  /** Index of the host that it connects to. */
  host: number
}

/** A client as a scenario wants it. */
export type WantedClient = HostedClient & {
  /** Clients with each of whom it has a direct room (`dm:…`), in the chat alone. */
  directWith?: readonly number[]
}

/** Twice each: without any client, and with all of them, quiet and back in their rooms. */
export interface BaselinePlan {
  /** Before the first count with all of them: so that every client has spoken, and each room has a history. */
  warmUp: Load
  /** What has not come back so long after all is quiet is counted as it is. */
  returnMs: number
}

export interface RunPlan {
  clients: readonly WantedClient[]
  steps: readonly Step[]
  /** Begins when the last fault is over, however long that takes; with it each client's coming back to life is looked at. */
  afterFaults?: Load
  /** What the servers hold is counted before the first step and after the last: see BaselinePlan. */
  baseline?: BaselinePlan
  /** Wait for deliveries that are still under way at most so long after the last step. */
  settleMs: number
}
