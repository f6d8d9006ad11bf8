/**
 * One client of the fleet: its connection, its absences, and how long it took to connect and to come back.
 */
import { setMaxListeners } from 'node:events'
import type { Connection, ConnectionEvents } from '../connection/connection.ts'
import type { Random } from '../load/random.ts'
import type { ClientPlan } from '../model/plan.ts'
import type { ClientContext, ClientProtocol, DueSend, SharedContext } from './client-context.ts'
import { RecoveryTimer } from './record/recovery-timer.ts'

export interface ClientParts extends SharedContext {
  plan: ClientPlan
  random: Random
  open(plan: ClientPlan, events: ConnectionEvents): Connection
  protocol(context: ClientContext): ClientProtocol
}

export class Client implements ClientContext, ConnectionEvents {
  readonly plan: ClientPlan
  readonly random: Random
  readonly recorder: SharedContext['recorder']
  readonly counters: SharedContext['counters']
  readonly clock: SharedContext['clock']
  readonly connection: Connection
  readonly absences: [number, number][] = []
  readonly recovery: RecoveryTimer
  readonly #protocol: ClientProtocol
  readonly #ended = new AbortController()
  /** Aborted with the connection. */
  #joining = new AbortController()
  #dueAt = Number.NaN
  #isConnected = false
  #isLive = false
  #hasBeenLive = false
  #isSlow = false
  /** This process ends the connection itself. */
  #isLeaving = false

  constructor(parts: ClientParts) {
    this.plan = parts.plan
    this.random = parts.random
    this.recorder = parts.recorder
    this.counters = parts.counters
    this.clock = parts.clock
    this.recovery = new RecoveryTimer(parts.counters.recovery)
    // Each waiting send adds a listener.
    setMaxListeners(0, this.#ended.signal)
    this.connection = parts.open(parts.plan, this)
    this.#protocol = parts.protocol(this)
  }

  get isLive(): boolean {
    return this.#isLive
  }

  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get outstanding(): number {
    return this.#protocol.outstanding
  }

  get unanswered(): number {
    return this.#protocol.unanswered
  }

  /** @param dueAt start of its connect latency */
  connect(dueAt: number): void {
    this.#dueAt = dueAt
    this.connection.connect()
  }

  send(send: DueSend): void {
    this.#protocol.send(send)
  }

  cut(offlineMs: number): void {
    if (this.#isConnected) this.#beginLeaving()
    this.connection.cut(offlineMs)
  }

  leave(): void {
    if (!this.#isConnected) return
    this.#beginLeaving()
    this.connection.cycle()
  }

  /** From now on, also after a reconnect, it reads as its plan says. */
  slow(): void {
    this.#isSlow = this.plan.reads !== 'all'
    if (this.#isSlow && this.#isLive) this.connection.throttle()
  }

  close(): void {
    this.#ended.abort()
    this.#joining.abort()
    this.connection.close()
    this.#protocol.onLive()
  }

  onConnect(): void {
    this.#isConnected = true
    this.#isLeaving = false
    this.counters.connected += 1
    this.#joining = new AbortController()
    setMaxListeners(0, this.#joining.signal)
    void this.#join(this.#joining.signal)
  }

  onEvent(event: string, payload: unknown): void {
    this.#protocol.onEvent(event, payload)
  }

  onDisconnect(): void {
    if (!this.#isConnected) return
    if (!this.#isLeaving) this.counters.disconnected()
    this.#markOffline()
  }

  onConnectError(reason: string): void {
    this.counters.connectFailed(reason)
  }

  async #join(signal: AbortSignal): Promise<void> {
    if (!(await this.#protocol.join(signal)) || signal.aborted) return
    this.#isLive = true
    this.counters.joined += 1
    const now = this.clock()
    const absence = this.absences.at(-1)
    if (this.#hasBeenLive && absence !== undefined) {
      absence[1] = now
      this.counters.back.record(now - absence[0])
    } else this.counters.connect.record(now - this.#dueAt)
    this.#hasBeenLive = true
    if (this.#isSlow) this.connection.throttle()
    this.#protocol.onLive()
  }

  /** Called before the connection ends, so the end counts as intended. */
  #beginLeaving(): void {
    this.#isLeaving = true
    this.#markOffline()
  }

  #markOffline(): void {
    this.#joining.abort()
    if (this.#isConnected) this.counters.connected -= 1
    if (this.#isLive) {
      this.counters.joined -= 1
      this.absences.push([this.clock(), Number.NaN])
    }
    this.#isConnected = false
    this.#isLive = false
    this.#protocol.onDisconnect()
  }
}
