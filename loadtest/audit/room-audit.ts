/** The audit of one room: goes through what each member was shown, then through what it was owed. */
import type { MemberRecord } from '../model/delivery-records.ts'
import { type Owed, owedOfBroadcasts, owedOfLog, sentWhileAway } from './expected.ts'
import type { Findings } from './findings.ts'
import { nameOf, type Wording } from './labels.ts'
import { LogOrder } from './log-order.ts'
import type { Order, Places, ShownRecord } from './order.ts'
import { indexIn, type RoomLedger, type RoomMember } from './room-records.ts'
import { SenderOrder } from './sender-order.ts'

/** In one example. */
const STRANGERS_TOLD = 3
const STRANGER_CHARS = 60

interface ShownMember extends RoomMember {
  shown: readonly ShownRecord[]
}

export class RoomAudit {
  readonly #ledger: RoomLedger
  readonly #findings: Findings
  readonly #wording: Wording
  /** By index of a send: 1 where any member was shown it. */
  readonly #shown: Uint8Array
  /** By index of a send: the record that was shown it last, counted from 1 over all members. */
  readonly #shownIn: Uint32Array
  #records = 0

  constructor(ledger: RoomLedger, findings: Findings, wording: Wording) {
    this.#ledger = ledger
    this.#findings = findings
    this.#wording = wording
    this.#shown = new Uint8Array(ledger.sends.keys.length)
    this.#shownIn = new Uint32Array(ledger.sends.keys.length)
  }

  ofBroadcasts(): void {
    const { sends } = this.#ledger
    const members = this.#placed()
    const order = new SenderOrder(sends.keys, mostShown(members)?.shown ?? [])
    for (const member of members) this.#member(member, order, owedOfBroadcasts(sends, member.records))
    this.#shownUnacked()
  }

  ofLog(): void {
    const { sends, room } = this.#ledger
    const members = this.#placed()
    const order = new LogOrder(
      sends,
      members.flatMap(({ shown }) => shown),
    )
    const rules = { sends, order, shown: this.#shown }
    for (const member of members) {
      this.#member(member, order, owedOfLog(rules, member.shown))
      for (const shown of member.shown) this.#holes(member, order.holes(shown))
    }
    this.#shownUnacked()
    const line = () => `out of order: ${room} has ${order.conflicts} numbers that mean more than one message`
    if (order.conflicts > 0) this.#findings.add('outOfOrder', line, order.conflicts)
  }

  #placed(): ShownMember[] {
    return this.#ledger.members.map((member) => ({
      ...member,
      shown: member.records.map((record) => this.#place(member, record)),
    }))
  }

  #place(member: RoomMember, record: MemberRecord): ShownRecord {
    const places = new Int32Array(record.keys.length)
    for (let at = 0; at < places.length; at += 1) {
      const key = record.keys[at] ?? Number.NaN
      const index = indexIn(this.#ledger.sends.keys, key)
      places[at] = index
      if (index < 0) this.#phantom(member, () => `${nameOf(key)} was never sent there`)
      else this.#shown[index] = 1
    }
    if (record.strangerCount > 0) this.#phantom(member, () => strangersIn(record), record.strangerCount)
    return { record, places }
  }

  #phantom(member: RoomMember, what: () => string, times = 1): void {
    const line = () => `phantom: in ${this.#ledger.room}, at ${this.#wording.member(member)}: ${what()}`
    this.#findings.add('phantom', line, times)
  }

  #member(member: ShownMember, order: Order, owed: Owed): void {
    const firstRecord = this.#records + 1
    let logRecord = firstRecord
    member.shown.forEach((shown, at) => {
      const afresh = at === 0 || shown.record.epoch !== member.shown[at - 1]?.record.epoch
      this.#records += 1
      if (afresh) logRecord = this.#records
      order.begin(shown, afresh)
      this.#showings(member, shown.places, order, logRecord)
    })
    this.#owed(member, owed, firstRecord)
  }

  /** @param since a message that this record or a later one was shown already comes twice */
  #showings(member: ShownMember, places: Places, order: Order, since: number): void {
    const shownIn = this.#shownIn
    for (let at = 0; at < places.length; at += 1) {
      const index = places[at] ?? -1
      if (index < 0) continue
      if ((shownIn[index] ?? 0) >= since) this.#at(member, 'doubled', index, '')
      else this.#ordered(member, order, index, at)
      shownIn[index] = this.#records
    }
  }

  #ordered(member: ShownMember, order: Order, index: number, at: number): void {
    order.take(index, at)
    if (order.misplaced) this.#at(member, 'outOfOrder', index, order.reason())
    if (order.differs) this.#at(member, 'ordersDiffer', index, order.reason())
  }

  #at(
    member: ShownMember,
    finding: 'doubled' | 'outOfOrder' | 'ordersDiffer',
    index: number,
    why: string,
  ): void {
    const words = { doubled: 'doubled', outOfOrder: 'out of order', ordersDiffer: 'other order' }[finding]
    const what = `${this.#wording.message(index)} ${why}`.trim()
    this.#findings.add(finding, () => `${words}: ${what}, at ${this.#wording.member(member)}`)
  }

  #owed(member: ShownMember, owed: Owed, firstRecord: number): void {
    const findings = this.#findings
    for (let index = 0; index < this.#shownIn.length; index += 1) {
      if (!owed(index)) continue
      findings.expected += 1
      if ((this.#shownIn[index] ?? 0) >= firstRecord) continue
      if (sentWhileAway(this.#ledger.sends, index, member.records)) findings.lostWhileAway += 1
      const words = this.#wording
      findings.add('lost', () => `lost: ${words.timed(index)} by ${words.member(member)}`)
    }
  }

  #holes(member: ShownMember, holes: number): void {
    if (holes === 0) return
    this.#findings.expected += holes
    const line = () =>
      `lost: ${holes} numbers of ${this.#ledger.room} that nobody knows, by ${this.#wording.member(member)}`
    this.#findings.add('lost', line, holes)
  }

  #shownUnacked(): void {
    this.#shown.forEach((shown, index) => {
      if (shown === 0 || !Number.isNaN(this.#ledger.sends.ackedAt[index])) return
      this.#findings.add('shownUnacked', () => `shown, not acked: ${this.#wording.timed(index)}`)
    })
  }
}

function strangersIn({ strangers }: MemberRecord): string {
  const told = strangers.slice(0, STRANGERS_TOLD).map((text) => text.slice(0, STRANGER_CHARS))
  return `strangers such as ${told.join(' ')}`
}

function mostShown(members: readonly ShownMember[]): ShownMember | undefined {
  let most: ShownMember | undefined
  for (const member of members) if (most === undefined || sizeOf(member) > sizeOf(most)) most = member
  return most
}

function sizeOf({ shown }: ShownMember): number {
  return shown.reduce((sum, { places }) => sum + places.length, 0)
}
