/** The clients of this process: makes them, and passes on to each what the coordinator wants, in its time. */

import { openConnection } from '../connection/open-connection.ts'
import { type Arrival, arrivalsOf } from '../load/arrivals.ts'
import { guestAuth } from '../load/identities.ts'
import { randomOf } from '../load/random.ts'
import type { AgentCommand } from '../model/agent-protocol.ts'
import type { ClientPlan } from '../model/plan.ts'
import type { Clock } from '../system/clock.ts'
import { Client } from './client.ts'
import type { Desk, Talk } from './client-context.ts'
import { BenchTalk } from './protocol/bench-protocol.ts'
import { ChatTalk } from './protocol/chat-protocol.ts'
import { RoomHeads } from './protocol/room-heads.ts'
import { Tally } from './record/counters.ts'
import { Journal } from './record/recorder.ts'
import { Agenda } from './send-schedule.ts'

export type Begin = Extract<AgentCommand, { type: 'begin' }>
type LoadCommand = Extract<AgentCommand, { type: 'load' }>

export class Crew {
  readonly tally = new Tally()
  readonly journal: Journal
  readonly #begin: Begin
  readonly #clock: Clock
  readonly #clients: ReadonlyMap<number, Client>
  readonly #heads = new RoomHeads()
  readonly #loads = new Set<{ finish(): void; stop(): void }>()
  readonly #moments = new Set<{ stop(): void }>()

  constructor(begin: Begin, clock: Clock) {
    this.#begin = begin
    this.#clock = clock
    this.journal = new Journal({ run: begin.run, limit: begin.ledgerLimit })
    this.#clients = new Map(begin.clients.map((plan) => [plan.index, this.#newClient(plan)]))
  }

  get owed(): number {
    return this.#sum(({ owed }) => owed)
  }

  get unanswered(): number {
    return this.#sum(({ unanswered }) => unanswered)
  }

  connect(at: number): void {
    const plans = this.#begin.clients.toSorted((a, b) => a.connectAtMs - b.connectAtMs)
    this.#when(
      plans.map(({ index, connectAtMs }) => ({ index, at: at + connectAtMs })),
      (client, dueAt) => client.connect(dueAt),
    )
  }

  load({ at, load, seed }: LoadCommand): void {
    const { senders } = this.#begin
    const agenda = new Agenda<Arrival>({
      items: ownArrivals(
        arrivalsOf(load, senders.length, seed),
        (sender) => this.#sender(sender) !== undefined,
      ),
      at: ({ atMs }) => at + atMs,
      act: ({ atMs, sender, pick }, nowMs) => {
        const dueAt = at + atMs
        this.tally.due(nowMs - dueAt)
        this.#sender(sender)?.send({ dueAt, pick, textLength: load.textLength })
      },
      clock: this.#clock,
    })
    this.#loads.add(agenda)
  }

  cut({ clients, at, offlineMs }: Extract<AgentCommand, { type: 'cut' }>): void {
    this.#when(paired(clients, at), (client) => client.cut(offlineMs))
  }

  leave({ clients, at }: Extract<AgentCommand, { type: 'leave' }>): void {
    this.#when(paired(clients, at), (client) => client.leave())
  }

  slow(at: number): void {
    const slow = this.#begin.clients.filter(({ reads }) => reads !== 'all')
    this.#when(
      slow.map(({ index }) => ({ index, at })),
      (client) => client.slow(),
    )
  }

  revive(at: number): void {
    for (const client of this.#clients.values()) client.revival.begin(at)
  }

  /** What falls due from now on is not sent. */
  settle(): void {
    for (const load of this.#loads) load.finish()
    this.#loads.clear()
  }

  close(): void {
    for (const load of this.#loads) load.stop()
    for (const moments of this.#moments) moments.stop()
    for (const client of this.#clients.values()) client.close()
  }

  #newClient(plan: ClientPlan): Client {
    const { seed, run, dialect, kind } = this.#begin
    const random = randomOf(seed, 'client', plan.index)
    const { journal, tally } = this
    return new Client({
      plan,
      random,
      journal,
      tally,
      clock: this.#clock,
      open: ({ url, transport, localAddress, reads, index }, events) => {
        const from = localAddress === undefined ? {} : { localAddress }
        const auth = dialect === 'chat' ? { ...guestAuth(run, index) } : {}
        return openConnection({ kind, dialect, random }, { url, transport, reads, auth, ...from }, events)
      },
      talk: (desk) => this.#newTalk(desk),
    })
  }

  #newTalk(desk: Desk): Talk {
    return this.#begin.dialect === 'chat' ? new ChatTalk(desk, this.#heads) : new BenchTalk(desk)
  }

  /** One of this process's own. */
  #sender(place: number): Client | undefined {
    return this.#clients.get(this.#begin.senders[place] ?? -1)
  }

  #when(moments: { index: number; at: number }[], act: (client: Client, dueAt: number) => void): void {
    const agenda = new Agenda({
      items: moments.toSorted((a, b) => a.at - b.at).values(),
      at: ({ at }) => at,
      act: ({ index, at }) => {
        const client = this.#clients.get(index)
        if (client !== undefined) act(client, at)
      },
      clock: this.#clock,
    })
    this.#moments.add(agenda)
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
