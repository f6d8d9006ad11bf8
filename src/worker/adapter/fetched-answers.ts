/**
 * Long answers of other workers, fetched piece by piece: a few answers at a time, and of each a few pieces.
 * The others wait in order. What does not go on is dropped. Bounded in number and bytes; no I/O.
 */
export interface FetchedAnswersLimits {
  /** Longest answer. */
  answerBytes: number
  pieceBytes: number
  /** Answers that are fetched at a time. */
  atATime: number
  /** Pieces of one answer that are on their way. */
  piecesAhead: number
  /** Answers that wait. */
  waiting: number
}

export interface AnswerOffer {
  from: string
  id: number
  bytes: number
}

interface Fetch extends AnswerOffer {
  body: Buffer
  /** Bytes that were asked for, and that have arrived. */
  asked: number
  arrived: number
  /** Nothing of it has arrived since the last look. */
  isIdle: boolean
}

export interface FetchedAnswersEvents {
  ask(offer: AnswerOffer, at: number): void
  /** It will not be fetched (any more). */
  refuse(offer: AnswerOffer): void
  complete(body: Buffer, from: string): void
}

export class FetchedAnswers {
  readonly #limits: FetchedAnswersLimits
  readonly #events: FetchedAnswersEvents
  readonly #fetches = new Map<string, Fetch>()
  #waiting: AnswerOffer[] = []

  constructor(limits: FetchedAnswersLimits, events: FetchedAnswersEvents) {
    this.#limits = limits
    this.#events = events
  }

  /** Answers that are being fetched or wait. */
  get size(): number {
    return this.#fetches.size + this.#waiting.length
  }

  offered(offer: AnswerOffer): void {
    const { answerBytes, waiting } = this.#limits
    const isKnown = this.#fetches.has(keyOf(offer.from, offer.id))
    if (offer.bytes < 1 || offer.bytes > answerBytes || this.#waiting.length >= waiting || isKnown)
      return this.#events.refuse(offer)
    this.#waiting.push(offer)
    return this.#startNext()
  }

  piece(from: string, id: number, at: number, bytes: Buffer): void {
    const key = keyOf(from, id)
    const fetch = this.#fetches.get(key)
    if (fetch === undefined) return
    if (at !== fetch.arrived || bytes.length === 0 || at + bytes.length > fetch.bytes)
      return this.#fail(fetch)
    bytes.copy(fetch.body, at)
    fetch.arrived += bytes.length
    fetch.isIdle = false
    if (fetch.arrived < fetch.bytes) return this.#askAhead(fetch)
    this.#fetches.delete(key)
    this.#startNext()
    return this.#events.complete(fetch.body, from)
  }

  /** The other worker does not have it any more. */
  lost(from: string, id: number): void {
    if (this.#fetches.delete(keyOf(from, id))) this.#startNext()
    else this.#waiting = this.#waiting.filter((offer) => offer.from !== from || offer.id !== id)
  }

  workerGone(worker: string): void {
    this.#waiting = this.#waiting.filter(({ from }) => from !== worker)
    for (const [key, { from }] of this.#fetches) if (from === worker) this.#fetches.delete(key)
    this.#startNext()
  }

  /** Drops the fetches that did not go on since the last call. @returns how many */
  dropIdle(): number {
    const idle = [...this.#fetches.values()].filter(({ isIdle }) => isIdle)
    for (const fetch of this.#fetches.values()) fetch.isIdle = true
    for (const fetch of idle) this.#fail(fetch)
    return idle.length
  }

  #startNext(): void {
    while (this.#fetches.size < this.#limits.atATime) {
      const offer = this.#waiting.shift()
      if (offer === undefined) return
      const body = Buffer.allocUnsafe(offer.bytes)
      const fetch = { ...offer, body, asked: 0, arrived: 0, isIdle: false }
      this.#fetches.set(keyOf(offer.from, offer.id), fetch)
      this.#askAhead(fetch)
    }
  }

  #askAhead(fetch: Fetch): void {
    const { pieceBytes, piecesAhead } = this.#limits
    while (fetch.asked < fetch.bytes && fetch.asked - fetch.arrived < piecesAhead * pieceBytes) {
      const at = fetch.asked
      fetch.asked += pieceBytes
      this.#events.ask(fetch, at)
    }
  }

  #fail(fetch: Fetch): void {
    this.#fetches.delete(keyOf(fetch.from, fetch.id))
    this.#events.refuse(fetch)
    this.#startNext()
  }
}

const keyOf = (from: string, id: number) => `${from} ${id}`
