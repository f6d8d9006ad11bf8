/**
 * Passes messages from the link to the adapter of their namespace. Unreadable messages are counted, never a
 * crash.
 */
import type { Logger } from 'pino'
import { ZodError } from 'zod'
import { FrameError } from '../../core/byte-frames.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { Link } from '../link/index.ts'
import type { AnswerLimits } from './answers.ts'
import { Answers } from './answers.ts'
import type { BroadcastBody } from './codec.ts'
import { decodeBody } from './codec.ts'
import type { AdapterRequest, AdapterResponse } from './messages.ts'
import { adapterMessage } from './messages.ts'
import type { AdapterMetrics } from './metrics.ts'

/** Least time between two log lines about unreadable messages. */
const MALFORMED_LOG_MS = 5_000

export interface NamespaceAdapter {
  readonly openRequests: number
  onBroadcast(body: BroadcastBody, from: string): void
  onServerRequest(message: AdapterRequest, from: string): void
  onServerResponse(message: AdapterResponse, from: string): void
  /** The worker is gone: no more messages come from it. */
  onPeerGone(worker: string): void
}

export class AdapterRouter {
  /** Answers to other workers, of all namespaces. */
  readonly answers: Answers
  readonly #adapters = new Map<string, NamespaceAdapter>()
  readonly #link: Pick<Link, 'onMessage' | 'onPeerGone' | 'send'>
  readonly #logger: Logger
  readonly #throttle = new LogThrottle(MALFORMED_LOG_MS)
  #unlisten: (() => void) | undefined
  #metrics: AdapterMetrics | undefined

  constructor(
    link: Pick<Link, 'onMessage' | 'onPeerGone' | 'send'>,
    logger: Logger,
    limits?: Partial<AnswerLimits>,
  ) {
    this.#link = link
    this.#logger = logger
    this.answers = new Answers({ link, limits, received: (body, from) => this.#route(body, from) })
  }

  get size(): number {
    return this.#adapters.size
  }

  get openRequests(): number {
    let open = 0
    for (const adapter of this.#adapters.values()) open += adapter.openRequests
    return open
  }

  useMetrics(metrics: AdapterMetrics): void {
    this.#metrics = metrics
    this.answers.useMetrics(metrics)
  }

  add(nsp: string, adapter: NamespaceAdapter): void {
    this.#adapters.set(nsp, adapter)
    this.#unlisten ??= this.#listen()
  }

  remove(nsp: string, adapter: NamespaceAdapter): void {
    if (this.#adapters.get(nsp) !== adapter) return
    this.#adapters.delete(nsp)
    if (this.#adapters.size > 0) return
    this.#unlisten?.()
    this.#unlisten = undefined
  }

  #listen(): () => void {
    const unlistenMessages = this.#link.onMessage((body, from) => this.#route(body, from))
    const unlistenGone = this.#link.onPeerGone((worker) => {
      this.answers.workerGone(worker)
      for (const adapter of this.#adapters.values()) adapter.onPeerGone(worker)
    })
    return () => {
      unlistenMessages()
      unlistenGone()
    }
  }

  #route(bytes: Buffer, from: string): void {
    const body = this.#read(() => decodeBody(bytes), from)
    if (body === undefined) return undefined
    if (body.kind === 'answer') return this.answers.onStep(body.step, from)
    const adapter = this.#adapters.get(body.nsp)
    if (adapter === undefined) return this.#metrics?.strayed.inc()
    if (body.kind === 'broadcast') return adapter.onBroadcast(body, from)
    const control = this.#read(() => adapterMessage.parse(body.message), from)
    if (control?.kind === 'request') adapter.onServerRequest(control.message, from)
    else if (control?.kind === 'response') adapter.onServerResponse(control.message, from)
    return undefined
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
          'unreadable message from another worker',
        ),
      )
      return undefined
    }
  }
}
