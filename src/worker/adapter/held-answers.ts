/**
 * Long answers to other workers. They are kept here, and the worker that asked fetches them piece by piece,
 * so that many long answers at once can't fill its link. An answer is dropped when its receiver is gone or
 * has fetched nothing for a while. Bounded in bytes.
 */
import { RookeryError } from '../../wire/errors.ts'

export interface HeldAnswersLimits {
  /** Longest answer. */
  answerBytes: number
  /** All answers that are kept at a time. */
  heldBytes: number
  pieceBytes: number
}

interface HeldAnswer {
  to: string
  body: Buffer
  /** Nothing of it was fetched since the last look. */
  isIdle: boolean
}

export class HeldAnswers {
  readonly #limits: HeldAnswersLimits
  readonly #held = new Map<number, HeldAnswer>()
  #bytes = 0
  #lastId = 0

  constructor(limits: HeldAnswersLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#held.size
  }

  /** @returns its id. Throws a RookeryError: `too_large`, or `unavailable` when too much is kept already. */
  hold(to: string, body: Buffer): number {
    const { answerBytes, heldBytes } = this.#limits
    if (body.length > answerBytes)
      throw new RookeryError('too_large', `an answer of ${body.length} bytes, ${answerBytes} allowed`)
    if (this.#bytes + body.length > heldBytes)
      throw new RookeryError('unavailable', `answers of ${this.#bytes} bytes wait for their receivers`)
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#held.has(this.#lastId))
    this.#held.set(this.#lastId, { to, body, isIdle: false })
    this.#bytes += body.length
    return this.#lastId
  }

  /** With the last piece the answer is dropped. @returns `undefined` if there is no such piece for `to` */
  piece(id: number, to: string, at: number): Buffer | undefined {
    const answer = this.#held.get(id)
    if (answer?.to !== to || at >= answer.body.length) return undefined
    answer.isIdle = false
    const end = at + this.#limits.pieceBytes
    if (end >= answer.body.length) this.#drop(id)
    return answer.body.subarray(at, end)
  }

  /** The receiver does not want it. */
  refused(id: number, to: string): void {
    if (this.#held.get(id)?.to === to) this.#drop(id)
  }

  workerGone(worker: string): void {
    for (const [id, { to }] of this.#held) if (to === worker) this.#drop(id)
  }

  /** Drops what was not fetched since the last call. @returns how many */
  dropIdle(): number {
    let dropped = 0
    for (const [id, answer] of this.#held) {
      if (answer.isIdle) {
        this.#drop(id)
        dropped += 1
      }
      answer.isIdle = true
    }
    return dropped
  }

  #drop(id: number): void {
    this.#bytes -= this.#held.get(id)?.body.length ?? 0
    this.#held.delete(id)
  }
}
