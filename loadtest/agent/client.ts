/** One client of the fleet: its connection, when it was there and when not, and how long its coming and coming back took. */
import { setMaxListeners } from 'node:events'
import type { Connection, ConnectionEvents } from '../connection/connection.ts'
import type { Random } from '../load/random.ts'
import type { ClientPlan } from '../model/plan.ts'
import type { Desk, DueSend, Surroundings, Talk } from './client-context.ts'
import { Revival } from './record/recovery.ts'

export interface ClientParts extends Surroundings {
  plan: ClientPlan
  random: Random
  open(plan: ClientPlan, events: ConnectionEvents): Connection
  talk(desk: Desk): Talk
}

export class Client implements Desk, ConnectionEvents {
  readonly plan: ClientPlan
  readonly random: Random
  readonly journal: Surroundings['journal']
  readonly tally: Surroundings['tally']
  readonly clock: Surroundings['clock']
  readonly connection: Connection
  readonly absences: [number, number][] = []
  readonly revival: Revival
  readonly #talk: Talk
  readonly #over = new AbortController()
  /** Ends with the connection. */
  #joining = new AbortController()
  #dueAt = Number.NaN
  #isConnected = false
  #isLive = false
  #hasBeenLive = false
  #isSlow = false
  /** Its end is this process's own doing. */
  #isLeaving = false

  constructor(parts: ClientParts) {
    this.plan = parts.plan
    this.random = parts.random
    this.journal = parts.journal
    this.tally = parts.tally
    this.clock = parts.clock
    this.revival = new Revival(parts.tally.revival)
    // Each send that waits listens.
    setMaxListeners(0, this.#over.signal)
    this.connection = parts.open(parts.plan, this)
    this.#talk = parts.talk(this)
  }

  get isLive(): boolean {
    return this.#isLive
  }

  get over(): AbortSignal {
    return this.#over.signal
  }

  get owed(): number {
    return this.#talk.owed
  }

  get unanswered(): number {
    return this.#talk.unanswered
  }

  /** @param dueAt its connecting is counted from then */
  connect(dueAt: number): void {
    this.#dueAt = dueAt
    this.connection.connect()
  }

  send(send: DueSend): void {
    this.#talk.send(send)
  }

  cut(offlineMs: number): void {
    if (this.#isConnected) this.#leaves()
    this.connection.cut(offlineMs)
  }

  leave(): void {
    if (!this.#isConnected) return
    this.#leaves()
    this.connection.cycle()
  }

  /** From now on, also when it comes back, it reads as its plan says. */
  slow(): void {
    this.#isSlow = this.plan.reads !== 'all'
    if (this.#isSlow && this.#isLive) this.connection.throttle()
  }

  close(): void {
    this.#over.abort()
    this.#joining.abort()
    this.connection.close()
    this.#talk.onLive()
  }

  onConnect(): void {
    this.#isConnected = true
    this.#isLeaving = false
    this.tally.connected += 1
    this.#joining = new AbortController()
    setMaxListeners(0, this.#joining.signal)
    void this.#join(this.#joining.signal)
  }

  onEvent(event: string, payload: unknown): void {
    this.#talk.onEvent(event, payload)
  }

  onDisconnect(): void {
    if (!this.#isConnected) return
    if (!this.#isLeaving) this.tally.disconnected()
    this.#gone()
  }

  onConnectError(reason: string): void {
    this.tally.connectFailed(reason)
  }

  async #join(signal: AbortSignal): Promise<void> {
    if (!(await this.#talk.join(signal)) || signal.aborted) return
    this.#isLive = true
    this.tally.joined += 1
    const now = this.clock()
    const absence = this.absences.at(-1)
    if (this.#hasBeenLive && absence !== undefined) {
      absence[1] = now
      this.tally.back.record(now - absence[0])
    } else this.tally.connect.record(now - this.#dueAt)
    this.#hasBeenLive = true
    if (this.#isSlow) this.connection.throttle()
    this.#talk.onLive()
  }

  /** Before the connection knows, so that its end is told as what it is. */
  #leaves(): void {
    this.#isLeaving = true
    this.#gone()
  }

  #gone(): void {
    this.#joining.abort()
    if (this.#isConnected) this.tally.connected -= 1
    if (this.#isLive) {
      this.tally.joined -= 1
      this.absences.push([this.clock(), Number.NaN])
    }
    this.#isConnected = false
    this.#isLive = false
    this.#talk.onLost()
  }
}
