/** Many members of a few rooms who all write, and the audit of what each was shown against what was acked. */
import { expect } from 'vitest'
import { type Acked, Member } from './member.ts'

/** In turn: WebSocket alone, long polling alone, and the one upgraded to the other. */
const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']] as const

export interface CrowdOptions {
  url: string
  rooms: number
  membersPerRoom: number
}

export class Crowd {
  readonly members: Member[]
  readonly acked = new Map<string, Acked[]>()
  #sent = 0

  constructor({ url, rooms, membersPerRoom }: CrowdOptions) {
    this.members = Array.from({ length: rooms * membersPerRoom }, (_, index) => {
      const transports = [...(TRANSPORTS[index % TRANSPORTS.length] ?? [])]
      return new Member(url, `room-${index % rooms}`, `member-${index}`, { transports })
    })
  }

  async joined(): Promise<void> {
    await Promise.all(this.members.map((member) => member.joined()))
  }

  get ackedCount(): number {
    return [...this.acked.values()].reduce((sum, list) => sum + list.length, 0)
  }

  /** Each member sends `count` messages, one after the other; all members at the same time. */
  async write(count: number): Promise<void> {
    await Promise.all(this.members.map((member) => this.#writeAs(member, count)))
  }

  /** A few messages of each member, again and again until `done`. */
  async writeUntil(done: () => boolean): Promise<void> {
    while (!done()) await this.write(5)
  }

  async #writeAs(member: Member, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      this.#sent += 1
      const id = `m${this.#sent}`
      const ack = await member.send(id, `text of ${id}`)
      this.acked.set(member.room, [...(this.acked.get(member.room) ?? []), ack])
    }
  }

  /** Every acked message was shown to every member of its room once, in one dense order. */
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
