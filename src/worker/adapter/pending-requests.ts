/**
 * Open requests to the other servers of a namespace: which servers were asked, which have answered, which
 * never will. A request completes when every recipient has answered or is gone, or at its deadline. No I/O.
 */

export interface Responses {
  values: unknown[]
  /** Servers that were gone before they answered: nothing is missing of them. */
  missing: string[]
  /** Servers that said that they can't answer. */
  failed: string[]
  /** Servers that are alive but did not answer before the deadline. */
  late: string[]
}

/**
 * Called once. With an error when the request could not be sent, or its recipients are unknown at the
 * deadline.
 */
export type ResponsesListener = (responses: Responses, error?: Error) => void

interface PendingRequest {
  /** Recipients that have not answered. Unknown until the receipt arrives. */
  awaited: Set<string> | undefined
  /** Servers that answered or failed before the receipt, which takes as long as the slowest host. */
  early: Set<string>
  goneBeforeReceipt: Set<string>
  responses: Responses
  listener: ResponsesListener
  timer: NodeJS.Timeout
}

export class PendingServerRequests {
  readonly #requests = new Map<string, PendingRequest>()
  readonly #maxOpen: number
  #lastId = 0

  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen
  }

  get size(): number {
    return this.#requests.size
  }

  /**
   * @returns the id of the request, or `null` when too many are open (the listener was called with an error)
   */
  open(timeoutMs: number, listener: ResponsesListener): string | null {
    if (this.#requests.size >= this.#maxOpen) {
      listener(noResponses(), new Error('too many requests to the other servers are open'))
      return null
    }
    this.#lastId = (this.#lastId + 1) >>> 0
    const id = `q${this.#lastId}`
    this.#requests.set(id, {
      awaited: undefined,
      early: new Set(),
      goneBeforeReceipt: new Set(),
      responses: noResponses(),
      listener,
      timer: setTimeout(() => this.#expire(id), timeoutMs),
    })
    return id
  }

  /** The receipt has arrived: the request was passed to these workers. */
  recipientsKnown(id: string, workers: readonly string[]): void {
    const request = this.#requests.get(id)
    if (request === undefined) return
    request.awaited = new Set(workers.filter((worker) => !request.early.has(worker)))
    for (const worker of request.goneBeforeReceipt) {
      if (request.awaited.delete(worker)) request.responses.missing.push(worker)
    }
    this.#check(id, request)
  }

  responded(id: string, worker: string, value: unknown): void {
    const request = this.#requests.get(id)
    if (request === undefined || !markResponded(request, worker)) return
    request.responses.values.push(value)
    this.#check(id, request)
  }

  /** The server can't answer. */
  serverFailed(id: string, worker: string): void {
    this.#without(id, worker, 'failed')
  }

  /**
   * Before the receipt it is not known whether the server was a recipient: it is missing only if the receipt
   * has it.
   */
  serverGone(worker: string): void {
    for (const [id, request] of this.#requests) {
      if (request.awaited === undefined) request.goneBeforeReceipt.add(worker)
      else this.#without(id, worker, 'missing')
    }
  }

  fail(id: string, error: Error): void {
    this.#complete(id, error)
  }

  failAll(error: Error): void {
    for (const id of this.#requests.keys()) this.#complete(id, error)
  }

  /** Forgets a request that was not sent. Its listener is not called. */
  cancel(id: string): void {
    clearTimeout(this.#requests.get(id)?.timer)
    this.#requests.delete(id)
  }

  #without(id: string, worker: string, why: 'missing' | 'failed'): void {
    const request = this.#requests.get(id)
    if (request === undefined || !markResponded(request, worker)) return
    request.responses[why].push(worker)
    this.#check(id, request)
  }

  #check(id: string, request: PendingRequest): void {
    if (request.awaited?.size === 0) this.#complete(id)
  }

  #expire(id: string): void {
    const request = this.#requests.get(id)
    if (request?.awaited === undefined) {
      return this.#complete(id, new Error('timeout reached: not every host has said whom it has asked'))
    }
    request.responses.late.push(...request.awaited)
    return this.#complete(id)
  }

  #complete(id: string, error?: Error): void {
    const request = this.#requests.get(id)
    if (request === undefined) return
    this.cancel(id)
    request.listener(request.responses, error)
  }
}

function noResponses(): Responses {
  return { values: [], missing: [], failed: [], late: [] }
}

/**
 * Why the responses are not those of all servers; `undefined` if they are. `missing` names the servers,
 * `responses` holds what arrived.
 */
export function incompleteError({ values, failed, late }: Responses): Error | undefined {
  const missing = [...failed, ...late]
  if (missing.length === 0) return undefined
  const what = late.length > 0 ? 'timeout reached' : 'not every server could answer'
  const error = new Error(`${what}: missing ${missing.length} responses (${missing.join(', ')})`)
  return Object.assign(error, { responses: values, missing, late })
}

/** @returns false when no response of this worker was expected, or it was already there */
function markResponded({ awaited, early }: PendingRequest, worker: string): boolean {
  if (awaited !== undefined) return awaited.delete(worker)
  if (early.has(worker)) return false
  early.add(worker)
  return true
}
