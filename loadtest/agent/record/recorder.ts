/** What this process writes down for the auditor: every send, and what each client was shown in which order. Judges nothing. */
import type { AgentLedger } from '../../model/agent-protocol.ts'
import { keyFromId, keyOf, type MemberRecord, SENDS_A_CLIENT } from '../../model/delivery-records.ts'
import { Numbers } from './number-list.ts'

const STRANGERS_KEPT = 20
/** So that one message between the processes stays some megabytes. */
const PART_NUMBERS = 500_000
const PART_MEMBERS = 2_000

export interface JournalOptions {
  run: string
  /** Deliveries that are written down at most. */
  limit: number
}

export class Journal {
  readonly #options: JournalOptions
  readonly #sends = new SendColumns()
  readonly #members: MemberBook[] = []
  readonly #numbers = new Map<number, number>()
  #deliveries = 0
  #overflowed = false
  #lastDeliveryAt = 0
  #closed = false

  constructor(options: JournalOptions) {
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
    if (number >= SENDS_A_CLIENT)
      throw new Error(`client ${client} has sent ${number} messages, more than a run can have`)
    this.#numbers.set(client, number + 1)
    return keyOf(client, number)
  }

  /** @returns its row, for what becomes of it */
  sent(key: number, room: string, at: number): number {
    return this.#closed ? -1 : this.#sends.add(key, room, at)
  }

  acked(row: number, at: number, seq = Number.NaN): void {
    if (!this.#closed) this.#sends.acked(row, at, seq)
  }

  refused(row: number): void {
    if (!this.#closed) this.#sends.refused(row)
  }

  /** The page of one client in one room, and of one log where there is one. */
  open(page: MemberPage): MemberBook {
    const book = new MemberBook(page, this)
    this.#members.push(book)
    return book
  }

  /** @returns whether it is to be written down */
  takesDelivery(at: number): boolean {
    if (this.#closed) return false
    this.#lastDeliveryAt = at
    if (this.#deliveries >= this.#options.limit) this.#overflowed = true
    else this.#deliveries += 1
    return !this.#overflowed
  }

  /** Nothing is written down from now on. */
  close(): void {
    this.#closed = true
  }

  /** Parts of a size that can be sent to another process. */
  *parts(): Generator<AgentLedger, void> {
    let members: MemberRecord[] = []
    let numbers = 0
    for (const book of this.#members) {
      if (!book.hasJoined) continue
      const record = book.record()
      members.push(record)
      numbers += record.keys.length * (record.seqs === undefined ? 1 : 2)
      if (numbers < PART_NUMBERS && members.length < PART_MEMBERS) continue
      yield { type: 'ledger', more: true, overflowed: false, sends: new SendColumns().toSends(), members }
      members = []
      numbers = 0
    }
    yield { type: 'ledger', more: false, overflowed: this.#overflowed, sends: this.#sends.toSends(), members }
  }
}

export interface MemberPage {
  client: number
  room: string
  /** Of the log, where there is one. */
  head?: number
  epoch?: string
  /** Shared by all pages of a client. */
  absences: readonly (readonly [number, number])[]
}

export class MemberBook {
  readonly #page: MemberPage
  readonly #journal: Journal
  readonly #keys = new Numbers()
  readonly #seqs: Numbers | undefined
  readonly #strangers: string[] = []
  #strangerCount = 0
  #joinedAt = Number.NaN
  #leftAt = Number.NaN

  constructor(page: MemberPage, journal: Journal) {
    this.#page = page
    this.#journal = journal
    this.#seqs = page.epoch === undefined ? undefined : new Numbers()
  }

  get hasJoined(): boolean {
    return !Number.isNaN(this.#joinedAt)
  }

  /** The first time counts. */
  joined(at: number): void {
    if (!this.hasJoined) this.#joinedAt = at
  }

  /** In the order of calls. */
  show(id: unknown, at: number, seq = Number.NaN): void {
    if (!this.#journal.takesDelivery(at)) return
    const key = typeof id === 'string' ? keyFromId(this.#journal.run, id) : undefined
    if (key === undefined) this.stranger(String(id))
    else {
      this.#keys.push(key)
      this.#seqs?.push(seq)
    }
  }

  stranger(text: string): void {
    this.#strangerCount += 1
    if (this.#strangers.length < STRANGERS_KEPT) this.#strangers.push(text)
  }

  left(at: number): void {
    this.#leftAt = at
  }

  record(): MemberRecord {
    const { client, room, head, epoch, absences } = this.#page
    return {
      client,
      room,
      joinedAt: this.#joinedAt,
      leftAt: this.#leftAt,
      head: head ?? Number.NaN,
      ...(epoch === undefined ? {} : { epoch }),
      keys: this.#keys.toArray(),
      ...(this.#seqs === undefined ? {} : { seqs: this.#seqs.toArray() }),
      strangers: [...this.#strangers],
      strangerCount: this.#strangerCount,
      absences: absences.map(([from, to]) => [from, to]),
    }
  }
}

class SendColumns {
  readonly #keys = new Numbers()
  readonly #rooms: string[] = []
  readonly #sentAt = new Numbers()
  readonly #ackedAt = new Numbers()
  readonly #seqs = new Numbers()
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

  toSends(): AgentLedger['sends'] {
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
