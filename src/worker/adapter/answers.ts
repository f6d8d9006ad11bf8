/**
 * Sends answers to other workers, and receives theirs. A short one is one message. A long one is offered, and
 * the receiver asks for its pieces (`held-answers.ts`, `fetched-answers.ts`).
 */
import type { Link } from '../link/index.ts'
import type { AnswerStep } from './codec.ts'
import { encodeAnswerStep } from './codec.ts'
import { FetchedAnswers } from './fetched-answers.ts'
import { HeldAnswers } from './held-answers.ts'
import type { AdapterMetrics } from './metrics.ts'

const MIB = 1024 * 1024

const answerLimits = {
  answerBytes: 64 * MIB,
  heldBytes: 128 * MIB,
  pieceBytes: MIB / 4,
  atATime: 4,
  piecesAhead: 2,
  waiting: 4_096,
  /** An answer that does not go on for this long, up to twice as long, is dropped. */
  idleMs: 15_000,
}
export type AnswerLimits = typeof answerLimits

export interface AnswersOptions {
  link: Pick<Link, 'send'>
  /** An answer has arrived whole. */
  received: (body: Buffer, from: string) => void
  limits?: Partial<AnswerLimits> | undefined
}

export class Answers {
  readonly #link: AnswersOptions['link']
  readonly #limits: AnswerLimits
  readonly #held: HeldAnswers
  readonly #fetched: FetchedAnswers
  #metrics: Pick<AdapterMetrics, 'dropped'> | undefined
  #look: NodeJS.Timeout | undefined

  constructor({ link, received, limits }: AnswersOptions) {
    this.#link = link
    this.#limits = { ...answerLimits, ...limits }
    this.#held = new HeldAnswers(this.#limits)
    this.#fetched = new FetchedAnswers(this.#limits, {
      ask: ({ from, id }, at) => this.#step(from, { step: 'ask', id, at }),
      refuse: ({ from, id }) => this.#step(from, { step: 'refuse', id }),
      complete: received,
    })
  }

  get heldBytes(): number {
    return this.#held.bytes
  }

  useMetrics(metrics: Pick<AdapterMetrics, 'dropped'>): void {
    this.#metrics = metrics
  }

  /** Throws a RookeryError when it can't be sent: `too_large`, `unavailable`. */
  send(to: string, body: Buffer): void {
    if (body.length <= this.#limits.pieceBytes) return this.#link.send(to, body)
    const id = this.#held.hold(to, body)
    this.#lookLater()
    return this.#step(to, { step: 'offer', id, bytes: body.length })
  }

  /** Another worker offers an answer, or fetches one. */
  onStep(step: AnswerStep, from: string): void {
    const { id } = step
    switch (step.step) {
      case 'offer':
        this.#lookLater()
        return this.#fetched.offered({ from, id, bytes: step.bytes })
      case 'ask':
        return this.#sendPiece(from, id, step.at)
      case 'piece':
        return this.#fetched.piece(from, id, step.at, step.body)
      case 'refuse':
        return this.#held.refused(id, from)
      case 'lost':
        return this.#fetched.lost(from, id)
    }
  }

  workerGone(worker: string): void {
    this.#held.workerGone(worker)
    this.#fetched.workerGone(worker)
  }

  #sendPiece(to: string, id: number, at: number): void {
    const body = this.#held.piece(id, to, at)
    if (body === undefined) this.#step(to, { step: 'lost', id })
    else this.#step(to, { step: 'piece', id, at, body })
  }

  #step(to: string, step: AnswerStep): void {
    this.#link.send(to, encodeAnswerStep(step))
  }

  #lookLater(): void {
    if (this.#look !== undefined) return
    this.#look = setTimeout(() => {
      this.#look = undefined
      this.#metrics?.dropped.inc(this.#held.dropIdle() + this.#fetched.dropIdle())
      if (this.#held.size + this.#fetched.size > 0) this.#lookLater()
    }, this.#limits.idleMs).unref()
  }
}
