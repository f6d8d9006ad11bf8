/**
 * Many members of a few rooms who all write, and the audit that compares what each received with what was
 * acked.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Acked, Member } from './member.ts'

/** In turn: WebSocket only, long polling only, and long polling upgraded to WebSocket. */
const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']] as const

const PACE_MS = 200

export interface CrowdOptions {
  /** With several, members are spread over them in turn. */
  url: string | readonly string[]
  rooms: number
  membersPerRoom: number
  /** Prefix of the names of rooms and members, so that several crowds can use one cluster. */
  label?: string
  /** Unacked messages of a member at a time; 1 by default. */
  inFlight?: number
  /** Pause after each message in `writeUntil`, so that a long wait does not fill the rooms and use all CPU time. */
  paceMs?: number
}

export class Crowd {
  readonly members: Member[]
  readonly acked = new Map<string, Acked[]>()
  readonly #inFlight: number
  readonly #paceMs: number
  #sent = 0

  constructor(options: CrowdOptions) {
    const { url, rooms, membersPerRoom, label = '', inFlight = 1, paceMs = PACE_MS } = options
    this.#inFlight = inFlight
    this.#paceMs = paceMs
    const urls = typeof url === 'string' ? [url] : url
    this.members = Array.from({ length: rooms * membersPerRoom }, (_, index) => {
      const room = index % rooms
      // Every room has members of every address and transport.
      const seat = Math.floor(index / rooms)
      const home = urls[seat % urls.length] ?? ''
      const transports = TRANSPORTS[(seat + Math.floor(seat / urls.length) + room) % TRANSPORTS.length] ?? []
      return new Member(home, `${label}room-${room}`, `${label}member-${index}`, {
        transports: [...transports],
      })
    })
  }

  async joined(): Promise<void> {
    await Promise.all(this.members.map((member) => member.joined()))
  }

  get ackedCount(): number {
    return [...this.acked.values()].reduce((sum, list) => sum + list.length, 0)
  }

  /** Each member sends `count` messages, all members at the same time. Settles when no send is pending. */
  async write(count: number): Promise<void> {
    await allEnded(
      this.members.map((member) => {
        let left = count
        return this.#writeAs(member, () => {
          left -= 1
          return left >= 0
        })
      }),
    )
  }

  /** Each member writes until `done`, at its own pace, independent of the others. */
  async writeUntil(done: () => boolean): Promise<void> {
    await allEnded(this.members.map((member) => this.#writeAs(member, () => !done(), this.#paceMs)))
  }

  async #writeAs(member: Member, more: () => boolean, paceMs = 0): Promise<void> {
    const writer = async () => {
      while (more()) {
        await this.#writeOne(member)
        if (paceMs > 0) await delay(paceMs)
      }
    }
    await allEnded(Array.from({ length: this.#inFlight }, writer))
  }

  async #writeOne(member: Member): Promise<void> {
    this.#sent += 1
    const id = `m${this.#sent}`
    const ack = await member.send(id, `text of ${id}`)
    const acked = this.acked.get(member.room)
    if (acked === undefined) this.acked.set(member.room, [ack])
    else acked.push(ack)
  }

  /** How often sends were refused, by code. */
  refusals(): Record<string, number> {
    const sum: Record<string, number> = {}
    for (const { refusals } of this.members)
      for (const [code, count] of refusals) sum[code] = (sum[code] ?? 0) + count
    return sum
  }

  /** Why sends were refused. */
  reasons(): string[] {
    return [...new Set(this.members.flatMap(({ reasons }) => [...reasons]))]
  }

  get disconnects(): number {
    return this.members.reduce((sum, { disconnects }) => sum + disconnects, 0)
  }

  /** The members at this address. */
  at(url: string): Member[] {
    return this.members.filter((member) => member.url === url)
  }

  /** Every member of a room received every acked message once, in one order without gaps. */
  async audit(): Promise<void> {
    for (const member of this.members) {
      const acked = this.acked.get(member.room) ?? []
      const head = Math.max(0, ...acked.map(({ seq }) => seq))
      await member.has(head)
      const first = member.shown[0]?.seq ?? 1
      expect(member.breaks).toEqual([])
      expect(member.shown.map(({ seq }) => seq)).toEqual(member.shown.map((_, index) => first + index))
      const bySeq = new Map(member.shown.map(({ seq, id }) => [seq, id]))
      expect(acked.filter(({ seq, id }) => bySeq.get(seq) !== id)).toEqual([])
      expect(new Set(bySeq.values()).size).toBe(bySeq.size)
    }
  }

  close(): void {
    for (const member of this.members) member.close()
  }
}

/** Like `Promise.all`, but after a failure it waits for the others: an audit must not run while members send. */
function allEnded(work: readonly Promise<void>[]): Promise<void> {
  const ended = Promise.allSettled(work).then((ends) => {
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  })
  // A test that fails before it awaits this closes the members: no second failure.
  void Promise.allSettled([ended])
  return ended
}
