/** Hands what comes in over the link to the adapter of its namespace. What can't be read is counted, never a crash. */
import type { Logger } from 'pino'
import { ZodError } from 'zod'
import { FrameError } from '../../core/byte-frames.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { Link } from '../link/link.ts'
import type { BroadcastBody } from './codec.ts'
import { decodeBody } from './codec.ts'
import type { AdapterAnswer, AdapterQuestion } from './messages.ts'
import { adapterMessage } from './messages.ts'
import type { AdapterMetrics } from './metrics.ts'

/** Lines about what could not be read are that far apart. */
const MALFORMED_LOG_MS = 5_000

export interface AdapterEnd {
  readonly openQuestions: number
  onBroadcast(body: BroadcastBody, from: string): void
  onQuestion(message: AdapterQuestion, from: string): void
  onAnswer(message: AdapterAnswer, from: string): void
  /** Nothing comes from the worker any more. */
  onPeerGone(worker: string): void
}

export class AdapterRouter {
  readonly #ends = new Map<string, AdapterEnd>()
  readonly #link: Pick<Link, 'onMessage' | 'onPeerGone'>
  readonly #logger: Logger
  readonly #throttle = new LogThrottle(MALFORMED_LOG_MS)
  #unlisten: (() => void) | undefined
  #metrics: AdapterMetrics | undefined

  constructor(link: Pick<Link, 'onMessage' | 'onPeerGone'>, logger: Logger) {
    this.#link = link
    this.#logger = logger
  }

  get size(): number {
    return this.#ends.size
  }

  get openQuestions(): number {
    let open = 0
    for (const end of this.#ends.values()) open += end.openQuestions
    return open
  }

  countOn(metrics: AdapterMetrics): void {
    this.#metrics = metrics
  }

  add(nsp: string, end: AdapterEnd): void {
    this.#ends.set(nsp, end)
    this.#unlisten ??= this.#listen()
  }

  remove(nsp: string, end: AdapterEnd): void {
    if (this.#ends.get(nsp) !== end) return
    this.#ends.delete(nsp)
    if (this.#ends.size > 0) return
    this.#unlisten?.()
    this.#unlisten = undefined
  }

  #listen(): () => void {
    const unlistenMessages = this.#link.onMessage((body, from) => this.#route(body, from))
    const unlistenGone = this.#link.onPeerGone((worker) => {
      for (const end of this.#ends.values()) end.onPeerGone(worker)
    })
    return () => {
      unlistenMessages()
      unlistenGone()
    }
  }

  #route(bytes: Buffer, from: string): void {
    const body = this.#read(() => decodeBody(bytes), from)
    if (body === undefined) return
    const end = this.#ends.get(body.nsp)
    if (end === undefined) return this.#metrics?.strayed.inc()
    if (body.kind === 'broadcast') return end.onBroadcast(body, from)
    const said = this.#read(() => adapterMessage.parse(body.message), from)
    if (said?.kind === 'question') end.onQuestion(said.message, from)
    else if (said?.kind === 'answer') end.onAnswer(said.message, from)
  }

  #read<T>(decode: () => T, from: string): T | undefined {
    try {
      return decode()
    } catch (error) {
      if (!(error instanceof FrameError || error instanceof ZodError)) throw error
      this.#metrics?.malformed.inc()
      this.#throttle.run((heldBack) =>
        this.#logger.error(
          { from, reason: error.message, heldBack },
          'a message of another worker can not be read',
        ),
      )
      return undefined
    }
  }
}
