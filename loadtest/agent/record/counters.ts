/** Counts events between two reports. Judges nothing. */
import type { AgentSecond } from '../../model/agent-protocol.ts'
import { Latencies } from './latencies.ts'

type CounterValues = Pick<
  AgentSecond,
  'due' | 'sent' | 'acked' | 'unanswered' | 'delivered' | 'disconnects' | 'lateMs'
>
export type CounterReport = Omit<AgentSecond, 'type' | 'at' | 'eventLoopDelayP99Ms' | 'cpuMs'>

const NOTHING: CounterValues = {
  due: 0,
  sent: 0,
  acked: 0,
  unanswered: 0,
  delivered: 0,
  disconnects: 0,
  lateMs: 0,
}

export class Counters {
  readonly delivery = new Latencies()
  readonly ack = new Latencies()
  readonly connect = new Latencies()
  readonly back = new Latencies()
  readonly recovery = new Latencies()
  connected = 0
  joined = 0
  #counters: CounterValues = { ...NOTHING }
  #refused = new Map<string, number>()
  #connectErrors = new Map<string, number>()

  /** A send that was due `lateMs` ago. */
  due(lateMs: number): void {
    this.#counters.due += 1
    this.#counters.lateMs = Math.max(this.#counters.lateMs, lateMs)
  }

  sent(): void {
    this.#counters.sent += 1
  }

  acked(latencyMs: number): void {
    this.#counters.acked += 1
    this.ack.record(latencyMs)
  }

  refused(code: string): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
  }

  unanswered(count = 1): void {
    this.#counters.unanswered += count
  }

  delivered(latencyMs: number): void {
    this.#counters.delivered += 1
    this.delivery.record(latencyMs)
  }

  disconnected(): void {
    this.#counters.disconnects += 1
  }

  connectFailed(reason: string): void {
    this.#connectErrors.set(reason, (this.#connectErrors.get(reason) ?? 0) + 1)
  }

  /** Returns the counts since the last call. */
  take(): CounterReport {
    const taken: CounterReport = {
      ...this.#counters,
      refused: Object.fromEntries(this.#refused),
      connectErrors: Object.fromEntries(this.#connectErrors),
      connected: this.connected,
      joined: this.joined,
      delivery: this.delivery.take(),
      ack: this.ack.take(),
      connect: this.connect.take(),
      back: this.back.take(),
      recovery: this.recovery.take(),
    }
    this.#counters = { ...NOTHING }
    this.#refused = new Map()
    this.#connectErrors = new Map()
    return taken
  }
}
