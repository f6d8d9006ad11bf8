/** Audits one room: first what each member received, then what it should have received. */
import type { MemberRecord } from '../model/delivery-records.ts'
import { expectedOfBroadcasts, expectedOfLog, type IsExpected, sentWhileAway } from './expected.ts'
import type { Findings } from './findings.ts'
import { nameOf, type RoomLabels } from './labels.ts'
import { LogOrder } from './log-order.ts'
import type { Order, Places, ShownRecord } from './order.ts'
import { indexIn, type RoomMember, type RoomRecords } from './room-records.ts'
import { SenderOrder } from './sender-order.ts'

/** Limits of one example. */
const MAX_IDS_IN_EXAMPLE = 3
const MAX_ID_CHARS = 60

interface ShownMember extends RoomMember {
  shown: readonly ShownRecord[]
}

export class RoomAudit {
  readonly #room: RoomRecords
  readonly #findings: Findings
  readonly #labels: RoomLabels
  /** By index of a send: 1 if any member received it. */
  readonly #shown: Uint8Array
  /** By index of a send: the last record that contains it, counted from 1 over all members. */
  readonly #shownIn: Uint32Array
  #recordCount = 0

  constructor(room: RoomRecords, findings: Findings, labels: RoomLabels) {
    this.#room = room
    this.#findings = findings
    this.#labels = labels
    this.#shown = new Uint8Array(room.sends.keys.length)
    this.#shownIn = new Uint32Array(room.sends.keys.length)
  }

  ofBroadcasts(): void {
    const { sends } = this.#room
    const members = this.#placed()
    const order = new SenderOrder(sends.keys, mostShown(members)?.shown ?? [])
    for (const member of members) this.#member(member, order, expectedOfBroadcasts(sends, member.records))
    this.#shownUnacked()
  }

  ofLog(): void {
    const { sends, room } = this.#room
    const members = this.#placed()
    const order = new LogOrder(
      sends,
      members.flatMap(({ shown }) => shown),
    )
    const rules = { sends, order, shown: this.#shown }
    for (const member of members) {
      this.#member(member, order, expectedOfLog(rules, member.shown))
      for (const shown of member.shown) this.#holes(member, order.holes(shown))
    }
    this.#shownUnacked()
    const line = () =>
      `out of order: ${room} has ${order.conflicts} sequence numbers with more than one message`
    if (order.conflicts > 0) this.#findings.add('outOfOrder', line, order.conflicts)
  }

  #placed(): ShownMember[] {
    return this.#room.members.map((member) => ({
      ...member,
      shown: member.records.map((record) => this.#place(member, record)),
    }))
  }

  #place(member: RoomMember, record: MemberRecord): ShownRecord {
    const places = new Int32Array(record.keys.length)
    for (let at = 0; at < places.length; at += 1) {
      const key = record.keys[at] ?? Number.NaN
      const index = indexIn(this.#room.sends.keys, key)
      places[at] = index
      if (index < 0) this.#phantom(member, () => `${nameOf(key)} was never sent there`)
      else this.#shown[index] = 1
    }
    if (record.foreignCount > 0) this.#phantom(member, () => foreignIdsIn(record), record.foreignCount)
    return { record, places }
  }

  #phantom(member: RoomMember, what: () => string, times = 1): void {
    const line = () => `phantom: in ${this.#room.room}, at ${this.#labels.member(member)}: ${what()}`
    this.#findings.add('phantom', line, times)
  }

  #member(member: ShownMember, order: Order, isExpected: IsExpected): void {
    const firstRecord = this.#recordCount + 1
    let logRecord = firstRecord
    member.shown.forEach((shown, at) => {
      const afresh = at === 0 || shown.record.epoch !== member.shown[at - 1]?.record.epoch
      this.#recordCount += 1
      if (afresh) logRecord = this.#recordCount
      order.begin(shown, afresh)
      this.#checkDeliveries(member, shown.places, order, logRecord)
    })
    this.#checkExpected(member, isExpected, firstRecord)
  }

  /** @param since a message that this record or a later one already contains is a duplicate */
  #checkDeliveries(member: ShownMember, places: Places, order: Order, since: number): void {
    const shownIn = this.#shownIn
    for (let at = 0; at < places.length; at += 1) {
      const index = places[at] ?? -1
      if (index < 0) continue
      if ((shownIn[index] ?? 0) >= since) this.#at(member, 'doubled', index, '')
      else this.#ordered(member, order, index, at)
      shownIn[index] = this.#recordCount
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
    const words = { doubled: 'duplicated', outOfOrder: 'out of order', ordersDiffer: 'other order' }[finding]
    const what = `${this.#labels.message(index)} ${why}`.trim()
    this.#findings.add(finding, () => `${words}: ${what}, at ${this.#labels.member(member)}`)
  }

  #checkExpected(member: ShownMember, isExpected: IsExpected, firstRecord: number): void {
    const findings = this.#findings
    for (let index = 0; index < this.#shownIn.length; index += 1) {
      if (!isExpected(index)) continue
      findings.expected += 1
      if ((this.#shownIn[index] ?? 0) >= firstRecord) continue
      if (sentWhileAway(this.#room.sends, index, member.records)) findings.lostWhileAway += 1
      const words = this.#labels
      findings.add('lost', () => `lost: ${words.timed(index)} by ${words.member(member)}`)
    }
  }

  #holes(member: ShownMember, holes: number): void {
    if (holes === 0) return
    this.#findings.expected += holes
    const line = () =>
      `lost: ${holes} unknown sequence numbers of ${this.#room.room} by ${this.#labels.member(member)}`
    this.#findings.add('lost', line, holes)
  }

  #shownUnacked(): void {
    this.#shown.forEach((shown, index) => {
      if (shown === 0 || !Number.isNaN(this.#room.sends.ackedAt[index])) return
      this.#findings.add('shownUnacked', () => `delivered, not acked: ${this.#labels.timed(index)}`)
    })
  }
}

function foreignIdsIn({ foreignIds }: MemberRecord): string {
  const sample = foreignIds.slice(0, MAX_IDS_IN_EXAMPLE).map((text) => text.slice(0, MAX_ID_CHARS))
  return `foreign ids such as ${sample.join(' ')}`
}

function mostShown(members: readonly ShownMember[]): ShownMember | undefined {
  let most: ShownMember | undefined
  for (const member of members) if (most === undefined || sizeOf(member) > sizeOf(most)) most = member
  return most
}

function sizeOf({ shown }: ShownMember): number {
  return shown.reduce((sum, { places }) => sum + places.length, 0)
}
