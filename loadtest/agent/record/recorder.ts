/** Records every send, and what each client received in which order, for the audit. Judges nothing. */
import type { AgentRecords } from '../../model/agent-protocol.ts'
import { keyFromId, keyOf, MAX_SENDS_PER_CLIENT, type MemberRecord } from '../../model/delivery-records.ts'
import { NumberList } from './number-list.ts'

const MAX_FOREIGN_IDS = 20
/** Limits of one part, so an IPC message stays at a few megabytes. */
const PART_NUMBERS = 500_000
const PART_MEMBERS = 2_000

export interface RecorderOptions {
  run: string
  /** Most deliveries that are recorded. */
  limit: number
}

export class Recorder {
  readonly #options: RecorderOptions
  readonly #sends = new SendColumns()
  readonly #members: MemberRecorder[] = []
  readonly #numbers = new Map<number, number>()
  #deliveries = 0
  #overflowed = false
  #lastDeliveryAt = 0
  #closed = false

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  get run(): string {
    return this.#options.run
  }

  /** 0: none yet. */
  get lastDeliveryAt(): number {
    return this.#lastDeliveryAt
  }

  /** The key of a client's next message. */
  nextKey(client: number): number {
    const number = this.#numbers.get(client) ?? 0
    if (number >= MAX_SENDS_PER_CLIENT)
      throw new Error(`client ${client} has sent ${number} messages, more than a run can have`)
    this.#numbers.set(client, number + 1)
    return keyOf(client, number)
  }

  /** @returns its row, for its outcome */
  sent(key: number, room: string, at: number): number {
    return this.#closed ? -1 : this.#sends.add(key, room, at)
  }

  acked(row: number, at: number, seq = Number.NaN): void {
    if (!this.#closed) this.#sends.acked(row, at, seq)
  }

  refused(row: number): void {
    if (!this.#closed) this.#sends.refused(row)
  }

  /** Starts the record of one client in one room, and of one log if there is one. */
  open(options: MemberOptions): MemberRecorder {
    const member = new MemberRecorder(options, this)
    this.#members.push(member)
    return member
  }

  /** @returns whether to record the delivery */
  countDelivery(at: number): boolean {
    if (this.#closed) return false
    this.#lastDeliveryAt = at
    if (this.#deliveries >= this.#options.limit) this.#overflowed = true
    else this.#deliveries += 1
    return !this.#overflowed
  }

  /** Nothing is recorded from now on. */
  close(): void {
    this.#closed = true
  }

  /** Parts small enough to send to another process. */
  *parts(): Generator<AgentRecords, void> {
    let members: MemberRecord[] = []
    let numbers = 0
    for (const member of this.#members) {
      if (!member.hasJoined) continue
      const record = member.record()
      members.push(record)
      numbers += record.keys.length * (record.seqs === undefined ? 1 : 2)
      if (numbers < PART_NUMBERS && members.length < PART_MEMBERS) continue
      yield { type: 'records', more: true, overflowed: false, sends: new SendColumns().toSends(), members }
      members = []
      numbers = 0
    }
    yield {
      type: 'records',
      more: false,
      overflowed: this.#overflowed,
      sends: this.#sends.toSends(),
      members,
    }
  }
}

export interface MemberOptions {
  client: number
  room: string
  /** Of the log, if there is one. */
  head?: number
  epoch?: string
  /** Shared by all records of a client. */
  absences: readonly (readonly [number, number])[]
}

export class MemberRecorder {
  readonly #options: MemberOptions
  readonly #recorder: Recorder
  readonly #keys = new NumberList()
  readonly #seqs: NumberList | undefined
  readonly #foreignIds: string[] = []
  #foreignCount = 0
  #joinedAt = Number.NaN
  #leftAt = Number.NaN

  constructor(options: MemberOptions, recorder: Recorder) {
    this.#options = options
    this.#recorder = recorder
    this.#seqs = options.epoch === undefined ? undefined : new NumberList()
  }

  get hasJoined(): boolean {
    return !Number.isNaN(this.#joinedAt)
  }

  /** Only the first call counts. */
  joined(at: number): void {
    if (!this.hasJoined) this.#joinedAt = at
  }

  /** In order of delivery. */
  show(id: unknown, at: number, seq = Number.NaN): void {
    if (!this.#recorder.countDelivery(at)) return
    const key = typeof id === 'string' ? keyFromId(this.#recorder.run, id) : undefined
    if (key === undefined) this.recordForeign(String(id))
    else {
      this.#keys.push(key)
      this.#seqs?.push(seq)
    }
  }

  recordForeign(text: string): void {
    this.#foreignCount += 1
    if (this.#foreignIds.length < MAX_FOREIGN_IDS) this.#foreignIds.push(text)
  }

  left(at: number): void {
    this.#leftAt = at
  }

  record(): MemberRecord {
    const { client, room, head, epoch, absences } = this.#options
    return {
      client,
      room,
      joinedAt: this.#joinedAt,
      leftAt: this.#leftAt,
      head: head ?? Number.NaN,
      ...(epoch === undefined ? {} : { epoch }),
      keys: this.#keys.toArray(),
      ...(this.#seqs === undefined ? {} : { seqs: this.#seqs.toArray() }),
      foreignIds: [...this.#foreignIds],
      foreignCount: this.#foreignCount,
      absences: absences.map(([from, to]) => [from, to]),
    }
  }
}

class SendColumns {
  readonly #keys = new NumberList()
  readonly #rooms: string[] = []
  readonly #sentAt = new NumberList()
  readonly #ackedAt = new NumberList()
  readonly #seqs = new NumberList()
  readonly #refused: number[] = []

  add(key: number, room: string, at: number): number {
    this.#keys.push(key)
    this.#rooms.push(room)
    this.#sentAt.push(at)
    this.#ackedAt.push(Number.NaN)
    this.#seqs.push(Number.NaN)
    this.#refused.push(0)
    return this.#rooms.length - 1
  }

  acked(row: number, at: number, seq: number): void {
    this.#ackedAt.set(row, at)
    this.#seqs.set(row, seq)
  }

  refused(row: number): void {
    this.#refused[row] = 1
  }

  toSends(): AgentRecords['sends'] {
    return {
      keys: this.#keys.toArray(),
      rooms: [...this.#rooms],
      sentAt: this.#sentAt.toArray(),
      ackedAt: this.#ackedAt.toArray(),
      seqs: this.#seqs.toArray(),
      refused: Uint8Array.from(this.#refused),
    }
  }
}
