/**
 * `chat`: the room's log gives each message its sequence number. Each member must get them in ascending
 * order, and a number must mean the same message for all members and in the sender's ack. A log that replaced
 * another starts anew (another epoch).
 */
import type { Order, ShownRecord } from './order.ts'
import { lowerBound, type RoomSends } from './room-records.ts'

/** Most holes per record: an absurd number must not stall the count. */
const MAX_HOLES = 1_000_000

interface Log {
  /**
   * By index of a send: the number from its ack or, without one, from the first member that received it. NaN:
   * unknown.
   */
  seqs: Float64Array
  ascending: Float64Array
}

export class LogOrder implements Order {
  misplaced = false
  differs = false
  /** Messages that share a number with another, and acks whose number no member has for the message. */
  readonly conflicts: number
  readonly #logs = new Map<string | undefined, Log>()
  #log: Log = { seqs: new Float64Array(0), ascending: new Float64Array(0) }
  #shownSeqs = new Float64Array(0)
  #latest = Number.NEGATIVE_INFINITY
  #previous = Number.NEGATIVE_INFINITY
  #reason = ''

  constructor(sends: RoomSends, records: readonly ShownRecord[]) {
    for (const { record } of records) this.#logs.set(record.epoch, emptyLog(sends.keys.length))
    // An ack does not name the epoch: with several logs it can be checked, but not relied on.
    if (this.#logs.size === 1) for (const { seqs } of this.#logs.values()) seqs.set(sends.seqs)
    for (const shown of records) learn(this.#logs.get(shown.record.epoch)?.seqs, shown)
    for (const log of this.#logs.values())
      log.ascending = log.seqs.filter((seq) => !Number.isNaN(seq)).toSorted()
    this.conflicts = sharedNumbers(this.#logs) + this.#strayAcks(sends)
  }

  begin({ record }: ShownRecord, afresh: boolean): void {
    this.#log = this.#logs.get(record.epoch) ?? this.#log
    this.#shownSeqs = record.seqs ?? new Float64Array(0)
    if (!afresh) return
    this.#latest = Number.NEGATIVE_INFINITY
    this.#previous = Number.NEGATIVE_INFINITY
  }

  take(index: number, at: number): void {
    const shown = this.#shownSeqs[at] ?? Number.NaN
    const known = this.#log.seqs[index] ?? Number.NaN
    const ascends = shown > this.#latest
    this.differs = known < this.#previous
    this.misplaced = !ascends || shown !== known || this.differs
    if (this.misplaced) this.#reason = reasonOf(shown, known, this.#latest)
    if (ascends) this.#latest = shown
    if (!Number.isNaN(known)) this.#previous = known
  }

  reason(): string {
    return this.#reason
  }

  /** @returns NaN if unknown */
  seqIn(epoch: string | undefined, index: number): number {
    return this.#logs.get(epoch)?.seqs[index] ?? Number.NaN
  }

  /** @returns the largest number at which the member got the right message; -Infinity if it got none */
  latestOf({ record, places }: ShownRecord): number {
    const known = this.#logs.get(record.epoch)?.seqs
    let latest = Number.NEGATIVE_INFINITY
    for (let at = 0; at < places.length; at += 1) {
      const seq = record.seqs?.[at] ?? Number.NaN
      if (seq > latest && seq === known?.[places[at] ?? -1]) latest = seq
    }
    return latest
  }

  /** @returns how many numbers up to the record's last belong to no known message of this run */
  holes(shown: ShownRecord): number {
    const { record, places } = shown
    const log = this.#logs.get(record.epoch)
    const latest = this.latestOf(shown)
    if (log === undefined || Number.isNaN(record.head) || latest <= record.head) return 0
    const known = lowerBound(log.ascending, latest + 1) - lowerBound(log.ascending, record.head + 1)
    const foreignIds = record.foreignCount + places.filter((index) => index < 0).length
    return Math.max(0, Math.min(MAX_HOLES, latest - record.head - known - foreignIds))
  }

  #strayAcks({ seqs }: RoomSends): number {
    if (this.#logs.size < 2) return 0
    const logs = [...this.#logs.values()]
    return seqs.filter((acked, index) => {
      const known = logs.map((log) => log.seqs[index] ?? Number.NaN).filter((seq) => !Number.isNaN(seq))
      return !Number.isNaN(acked) && known.length > 0 && !known.includes(acked)
    }).length
  }
}

function emptyLog(length: number): Log {
  return { seqs: new Float64Array(length).fill(Number.NaN), ascending: new Float64Array(0) }
}

function learn(seqs: Float64Array | undefined, { record, places }: ShownRecord): void {
  if (seqs === undefined) return
  for (let at = 0; at < places.length; at += 1) {
    const index = places[at] ?? -1
    if (index >= 0 && Number.isNaN(seqs[index])) seqs[index] = record.seqs?.[at] ?? Number.NaN
  }
}

function sharedNumbers(logs: ReadonlyMap<string | undefined, Log>): number {
  let shared = 0
  for (const { ascending } of logs.values())
    for (let at = 1; at < ascending.length; at += 1) if (ascending[at] === ascending[at - 1]) shared += 1
  return shared
}

function reasonOf(shown: number, known: number, latest: number): string {
  if (shown !== known) return `with the number ${shown}, which is ${known} for others or in its ack`
  return `number ${shown} after ${latest}`
}
