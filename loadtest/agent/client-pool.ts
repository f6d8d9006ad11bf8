/** The clients of this process. Creates them, and runs the coordinator's commands on each at its time. */

import { openConnection } from '../connection/open-connection.ts'
import { type Arrival, arrivalsOf } from '../load/arrivals.ts'
import { guestAuth } from '../load/identities.ts'
import { randomOf } from '../load/random.ts'
import type { AgentCommand } from '../model/agent-protocol.ts'
import type { ClientPlan } from '../model/plan.ts'
import type { Clock } from '../system/clock.ts'
import { Client } from './client.ts'
import type { ClientContext, ClientProtocol } from './client-context.ts'
import { BenchProtocol } from './protocol/bench-protocol.ts'
import { ChatProtocol } from './protocol/chat-protocol.ts'
import { RoomHeads } from './protocol/room-heads.ts'
import { Counters } from './record/counters.ts'
import { Recorder } from './record/recorder.ts'
import { Scheduler } from './scheduler.ts'

export type Begin = Extract<AgentCommand, { type: 'begin' }>
type LoadCommand = Extract<AgentCommand, { type: 'load' }>

export class ClientPool {
  readonly counters = new Counters()
  readonly recorder: Recorder
  readonly #begin: Begin
  readonly #clock: Clock
  readonly #clients: ReadonlyMap<number, Client>
  readonly #heads = new RoomHeads()
  readonly #loads = new Set<{ finish(): void; stop(): void }>()
  readonly #schedules = new Set<{ stop(): void }>()

  constructor(begin: Begin, clock: Clock) {
    this.#begin = begin
    this.#clock = clock
    this.recorder = new Recorder({ run: begin.run, limit: begin.recordLimit })
    this.#clients = new Map(begin.clients.map((plan) => [plan.index, this.#newClient(plan)]))
  }

  get outstanding(): number {
    return this.#sum(({ outstanding }) => outstanding)
  }

  get unanswered(): number {
    return this.#sum(({ unanswered }) => unanswered)
  }

  connect(at: number): void {
    const plans = this.#begin.clients.toSorted((a, b) => a.connectAtMs - b.connectAtMs)
    this.#schedule(
      plans.map(({ index, connectAtMs }) => ({ index, at: at + connectAtMs })),
      (client, dueAt) => client.connect(dueAt),
    )
  }

  load({ at, load, seed }: LoadCommand): void {
    const { senders } = this.#begin
    const scheduler = new Scheduler<Arrival>({
      items: ownArrivals(
        arrivalsOf(load, senders.length, seed),
        (sender) => this.#sender(sender) !== undefined,
      ),
      at: ({ atMs }) => at + atMs,
      act: ({ atMs, sender, pick }, nowMs) => {
        const dueAt = at + atMs
        this.counters.due(nowMs - dueAt)
        this.#sender(sender)?.send({ dueAt, pick, textLength: load.textLength })
      },
      clock: this.#clock,
    })
    this.#loads.add(scheduler)
  }

  cut({ clients, at, offlineMs }: Extract<AgentCommand, { type: 'cut' }>): void {
    this.#schedule(paired(clients, at), (client) => client.cut(offlineMs))
  }

  leave({ clients, at }: Extract<AgentCommand, { type: 'leave' }>): void {
    this.#schedule(paired(clients, at), (client) => client.leave())
  }

  slow(at: number): void {
    const slow = this.#begin.clients.filter(({ reads }) => reads !== 'all')
    this.#schedule(
      slow.map(({ index }) => ({ index, at })),
      (client) => client.slow(),
    )
  }

  trackRecovery(at: number): void {
    for (const client of this.#clients.values()) client.recovery.begin(at)
  }

  /** Sends that become due from now on are not made. */
  settle(): void {
    for (const load of this.#loads) load.finish()
    this.#loads.clear()
  }

  close(): void {
    for (const load of this.#loads) load.stop()
    for (const times of this.#schedules) times.stop()
    for (const client of this.#clients.values()) client.close()
  }

  #newClient(plan: ClientPlan): Client {
    const { seed, run, dialect, kind } = this.#begin
    const random = randomOf(seed, 'client', plan.index)
    const { recorder, counters } = this
    return new Client({
      plan,
      random,
      recorder,
      counters,
      clock: this.#clock,
      open: ({ url, transport, localAddress, reads, index }, events) => {
        const from = localAddress === undefined ? {} : { localAddress }
        const auth = dialect === 'chat' ? { ...guestAuth(run, index) } : {}
        return openConnection({ kind, dialect, random }, { url, transport, reads, auth, ...from }, events)
      },
      protocol: (context) => this.#newProtocol(context),
    })
  }

  #newProtocol(context: ClientContext): ClientProtocol {
    return this.#begin.dialect === 'chat'
      ? new ChatProtocol(context, this.#heads)
      : new BenchProtocol(context)
  }

  /** Undefined if the sender belongs to another process. */
  #sender(place: number): Client | undefined {
    return this.#clients.get(this.#begin.senders[place] ?? -1)
  }

  #schedule(times: { index: number; at: number }[], act: (client: Client, dueAt: number) => void): void {
    const scheduler = new Scheduler({
      items: times.toSorted((a, b) => a.at - b.at).values(),
      at: ({ at }) => at,
      act: ({ index, at }) => {
        const client = this.#clients.get(index)
        if (client !== undefined) act(client, at)
      },
      clock: this.#clock,
    })
    this.#schedules.add(scheduler)
  }

  #sum(part: (client: Client) => number): number {
    let sum = 0
    for (const client of this.#clients.values()) sum += part(client)
    return sum
  }
}

function* ownArrivals(
  arrivals: Iterable<Arrival>,
  isOwn: (sender: number) => boolean,
): Generator<Arrival, void> {
  for (const arrival of arrivals) if (isOwn(arrival.sender)) yield arrival
}

function paired(clients: readonly number[], at: readonly number[]): { index: number; at: number }[] {
  return clients.map((index, place) => ({ index, at: at[place] ?? 0 }))
}
