/**
 * Broadcasts whose clients are to acknowledge: how many acknowledgements other servers still owe. A server owes as many
 * as it has clients for it, and none any more once it is gone: what it had delivered until then counts. Without I/O.
 */

interface Debtor {
  /** Unknown until it says so. */
  clients: number | undefined
  acks: number
}

interface Call {
  /** Who has said something, and once the receipt has come everybody who was asked and still owes something. */
  debtors: Map<string, Debtor>
  /** Whether the receipt has come. */
  asked: boolean
  clients: number
  gone: string[]
  goneEarly: Set<string>
  timer: NodeJS.Timeout
  ack: (value: unknown) => void
  settled: (clients: number, gone: readonly string[]) => void
}

export interface NewCall {
  timeoutMs: number
  ack: (value: unknown) => void
  /** Called at most once, with the number of acknowledgements that there were, and the servers that left meanwhile. */
  settled: (clients: number, gone: readonly string[]) => void
}

export class AdapterAcks {
  readonly #calls = new Map<string, Call>()
  readonly #maxOpen: number
  #lastId = 0

  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen
  }

  get size(): number {
    return this.#calls.size
  }

  /** Throws when too many are open. */
  open({ timeoutMs, ack, settled }: NewCall): string {
    if (this.#calls.size >= this.#maxOpen) throw new Error('too many broadcasts wait for acknowledgements')
    this.#lastId = (this.#lastId + 1) >>> 0
    const id = `a${this.#lastId}`
    const timer = setTimeout(() => this.drop(id), timeoutMs)
    const goneEarly = new Set<string>()
    const call = { debtors: new Map<string, Debtor>(), asked: false, clients: 0, gone: [], goneEarly }
    this.#calls.set(id, { ...call, timer, ack, settled })
    return id
  }

  asked(id: string, workers: readonly string[]): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    call.asked = true
    // What somebody has said that was not asked by the receipt (its host is gone, say) counts as far as it went.
    for (const [worker, debtor] of call.debtors) if (!workers.includes(worker)) debtor.clients = debtor.acks
    for (const worker of workers) {
      if (call.debtors.has(worker)) continue
      if (call.goneEarly.has(worker)) call.gone.push(worker)
      else call.debtors.set(worker, { clients: undefined, acks: 0 })
    }
    for (const worker of call.debtors.keys()) pay(call, worker)
    this.#check(id, call)
  }

  counted(id: string, worker: string, clients: number): void {
    const call = this.#calls.get(id)
    const debtor = call === undefined ? undefined : debtorOf(call, worker)
    if (call === undefined || debtor === undefined) return
    debtor.clients = clients
    this.#check(id, call, worker)
  }

  acked(id: string, worker: string, value: unknown): void {
    const call = this.#calls.get(id)
    const debtor = call === undefined ? undefined : debtorOf(call, worker)
    if (call === undefined || debtor === undefined) return
    debtor.acks += 1
    call.ack(value)
    this.#check(id, call, worker)
  }

  gone(worker: string): void {
    for (const [id, call] of this.#calls) {
      // Before the receipt it may not have been asked: that is seen when it comes.
      if (call.asked || call.debtors.has(worker)) this.unable(id, worker)
      else call.goneEarly.add(worker)
    }
  }

  unable(id: string, worker: string): void {
    const call = this.#calls.get(id)
    const debtor = call === undefined ? undefined : debtorOf(call, worker)
    if (call === undefined || debtor === undefined) return
    call.gone.push(worker)
    debtor.clients = debtor.acks
    this.#check(id, call, worker)
  }

  drop(id: string): void {
    clearTimeout(this.#calls.get(id)?.timer)
    this.#calls.delete(id)
  }

  dropAll(): void {
    for (const id of this.#calls.keys()) this.drop(id)
  }

  #check(id: string, call: Call, worker?: string): void {
    if (!call.asked) return
    if (worker !== undefined) pay(call, worker)
    if (call.debtors.size > 0) return
    this.drop(id)
    call.settled(call.clients, call.gone)
  }
}

function pay(call: Call, worker: string): void {
  const debtor = call.debtors.get(worker)
  if (debtor?.clients === undefined || debtor.acks < debtor.clients) return
  call.clients += debtor.clients
  call.debtors.delete(worker)
}

/** `undefined`: nothing is owed by this worker, or nothing any more. */
function debtorOf(call: Call, worker: string): Debtor | undefined {
  const debtor = call.debtors.get(worker)
  if (debtor !== undefined || call.asked) return debtor
  const early: Debtor = { clients: undefined, acks: 0 }
  call.debtors.set(worker, early)
  return early
}
