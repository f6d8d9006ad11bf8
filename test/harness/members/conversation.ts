/** Members of one room who write until `end`, which then compares what they received with what was acked. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { until } from '../until.ts'
import type { Member } from './member.ts'

/** The least pause between two messages of a member. */
const PACE_MS = 150
/** Of all members together: hosts that start meanwhile need CPU time too, and each message goes to every member. */
const MESSAGES_PER_SEC = 60

export class Conversation {
  readonly members: readonly Member[]
  readonly #acked: string[][]
  readonly #backSteps: string[] = []
  readonly #running: Promise<void>[]
  readonly #paceMs: number
  #isOver = false

  /** @param members must have joined already */
  constructor(members: readonly Member[]) {
    this.members = members
    this.#acked = members.map(() => [])
    this.#paceMs = Math.max(PACE_MS, (1_000 * members.length) / MESSAGES_PER_SEC)
    for (const member of members) this.#watch(member)
    this.#running = members.map((member, n) => this.#keepTalking(member, this.#acked[n] ?? []))
    // `end` reports the failure. A test that fails before that closes the members: no second failure.
    void Promise.allSettled(this.#running)
  }

  /** Resolves when `count` more messages of each member, sent after this call, are acked. */
  async goesOn(count = 2): Promise<void> {
    const before = this.#acked.map(({ length }) => length)
    await until(
      () => this.#acked.every(({ length }, n) => length > (before[n] ?? 0) + count),
      'every member has new acks',
      () => JSON.stringify(this.#acked.map(({ length }, n) => length - (before[n] ?? 0))),
    )
  }

  /** Stops it. No member may have missed an acked message, or received one twice or out of order. @returns the number of acks */
  async end(): Promise<number> {
    this.#isOver = true
    await Promise.all(this.#running)
    const last = Math.max(...this.members.flatMap((member) => member.shown.map(({ seq }) => seq)))
    await Promise.all(this.members.map((member) => member.has(last)))
    const acked = this.#acked.flat()
    const [first = []] = this.members.map((member) => member.shown)
    const order = new Map(first.map(({ seq, id }) => [seq, id]))
    expect(this.#backSteps).toEqual([])
    for (const member of this.members) {
      const ids = new Set(member.shown.map(({ id }) => id))
      expect(ids.size).toBe(member.shown.length)
      expect(acked.filter((id) => !ids.has(id))).toEqual([])
      expect(member.shown.filter(({ seq, id }) => order.has(seq) && order.get(seq) !== id)).toEqual([])
    }
    return acked.length
  }

  /** On one connection no live message may arrive twice or after a later one. */
  #watch({ socket, room }: Member): void {
    let last = 0
    socket.on('connect', () => (last = 0))
    socket.on('message', (message: { room: string; seq: number }) => {
      if (message.room !== room) return
      if (message.seq <= last) this.#backSteps.push(`${message.seq} after ${last}`)
      last = message.seq
    })
  }

  async #keepTalking(member: Member, acked: string[]): Promise<void> {
    const name = `m${this.members.indexOf(member)}`
    for (let n = 0; !this.#isOver; n += 1) {
      const { id } = await member.send(`${name}-${n}`, `${n}`)
      acked.push(id)
      await delay(this.#paceMs)
    }
  }
}
