/**
 * Messages between the servers of one namespace: notices, requests and responses. Every request completes:
 * with its responses, when the last missing server is known to be gone, or at its deadline.
 */

import type { Logger } from 'pino'
import { MessageType } from 'socket.io-adapter'
import { encodeControl } from '../../wire/adapter-control.ts'
import type { Link } from '../link/index.ts'
import type { Answers } from './answers.ts'
import { BroadcastAcks } from './broadcast-acks.ts'
import { cloneable } from './cloneable.ts'
import type { AdapterResponse } from './messages.ts'
import { FAILED } from './messages.ts'
import type { AdapterMetrics } from './metrics.ts'
import type { ResponsesListener } from './pending-requests.ts'
import { PendingServerRequests } from './pending-requests.ts'

/** Requests that one namespace may have open. */
const MAX_OPEN_REQUESTS = 4_096

/** Longest reason of a failure that another worker is told. */
const REASON_CHARS = 1_000

export interface MessengerOptions {
  nsp: string
  link: Pick<Link, 'publish' | 'publishWithReceipt' | 'send'>
  answers: Pick<Answers, 'send'>
  logger: Logger
  metrics: AdapterMetrics
}

export interface Notice {
  type: MessageType
  data: object
}

export interface AckedBroadcast {
  topics: string[]
  timeoutMs: number
  /** The encoded broadcast. Its acknowledgements carry `id`. */
  body: (id: string) => Buffer
  ack: (value: unknown) => void
  /** Called at most once, with the number of acknowledgements. */
  onComplete: (clients: number) => void
}

export class AdapterMessenger {
  readonly #nsp: string
  readonly #link: MessengerOptions['link']
  readonly #answers: MessengerOptions['answers']
  readonly #logger: Logger
  readonly #metrics: AdapterMetrics
  readonly #requests = new PendingServerRequests(MAX_OPEN_REQUESTS)
  readonly #acks = new BroadcastAcks(MAX_OPEN_REQUESTS)
  #closed = false

  constructor({ nsp, link, answers, logger, metrics }: MessengerOptions) {
    this.#nsp = nsp
    this.#link = link
    this.#answers = answers
    this.#logger = logger.child({ nsp })
    this.#metrics = metrics
  }

  get openRequests(): number {
    return this.#requests.size + this.#acks.size
  }

  /** Throws when the notice has no structured clone. */
  notify(topics: string[], notice: object, grants: string[] = []): void {
    if (!this.#closed) this.#link.publish(topics, encodeControl(this.#nsp, notice), { grants })
  }

  /** Throws when the request has no structured clone; `listener` is not called then. */
  request(
    { type, data }: Notice,
    { topics, timeoutMs }: { topics: string[]; timeoutMs: number },
    listener: ResponsesListener,
  ) {
    const id = this.#requests.open(timeoutMs, (responses, error) => {
      this.#reportMissing(responses.missing)
      this.#reportLate(responses.late)
      listener(responses, error)
    })
    if (id === null) return
    try {
      const body = encodeControl(this.#nsp, { type, data: { ...data, requestId: id } })
      this.#link.publishWithReceipt(topics, body, (workers, error) => {
        if (error === undefined) this.#requests.recipientsKnown(id, workers)
        else this.#requests.fail(id, error)
      })
    } catch (error) {
      this.#requests.cancel(id)
      throw error
    }
  }

  /** Throws when the broadcast can't be sent; `onComplete` is not called then. */
  broadcastWithAck({ topics, timeoutMs, body, ack, onComplete }: AckedBroadcast): void {
    const id = this.#acks.open({
      timeoutMs,
      ack,
      onComplete: (clients, gone) => {
        this.#reportMissing(gone)
        onComplete(clients)
      },
    })
    try {
      this.#link.publishWithReceipt(topics, body(id), (workers) => this.#acks.recipientsKnown(id, workers))
    } catch (error) {
      this.#acks.drop(id)
      throw error
    }
  }

  /** Sends a failure instead when the response can't be sent. */
  respond(to: string, type: MessageType, data: Record<string, unknown> & { requestId: string }): void {
    if (this.#closed) return
    try {
      this.#answers.send(to, this.#responseBody(type, data))
    } catch (error) {
      this.#logger.error({ err: error, to }, 'a response to another worker could not be sent')
      this.respondFailure(to, data.requestId, error)
    }
  }

  respondFailure(to: string, requestId: string, error: unknown): void {
    const message = { type: FAILED, data: { requestId, reason: String(error).slice(0, REASON_CHARS) } }
    this.#link.send(to, encodeControl(this.#nsp, message))
  }

  onResponse(message: AdapterResponse, from: string): void {
    const { requestId } = message.data
    switch (message.type) {
      case MessageType.FETCH_SOCKETS_RESPONSE:
        return this.#requests.responded(requestId, from, message.data.sockets)
      case MessageType.SERVER_SIDE_EMIT_RESPONSE:
        return this.#requests.responded(requestId, from, message.data.packet)
      case MessageType.BROADCAST_CLIENT_COUNT:
        return this.#acks.clientCount(requestId, from, message.data.clientCount)
      case MessageType.BROADCAST_ACK:
        return this.#acks.acked(requestId, from, message.data.packet)
      case FAILED:
        this.#logger.error({ from, reason: message.data.reason }, 'another worker could not answer a request')
        this.#metrics.failed.inc()
        // A broadcast goes on to wait for the acknowledgements of this server, so that it fails at its deadline.
        return this.#requests.serverFailed(requestId, from)
    }
  }

  /** The worker does not serve the namespace any more. */
  peerLeft(worker: string): void {
    this.#requests.serverGone(worker)
    this.#acks.serverGone(worker)
  }

  close(): void {
    this.#closed = true
    this.#requests.failAll(new Error('the namespace has been closed'))
    this.#acks.dropAll()
  }

  /**
   * Fetched sockets may hold values without a structured clone in `socket.data`: these values are left out.
   */
  #responseBody(type: MessageType, data: object): Buffer {
    try {
      return encodeControl(this.#nsp, { type, data })
    } catch (error) {
      if (type !== MessageType.FETCH_SOCKETS_RESPONSE) throw error
      const lost: string[] = []
      const rest = cloneable(data, (path) => lost.push(path))
      this.#metrics.uncloned.inc()
      this.#logger.warn(
        { err: error, lost },
        'fetched sockets: values without a structured clone were left out',
      )
      return encodeControl(this.#nsp, { type, data: rest })
    }
  }

  #reportMissing(workers: readonly string[]): void {
    if (workers.length === 0) return
    this.#metrics.missing.inc(workers.length)
    this.#logger.warn({ workers }, 'workers left before they answered')
  }

  #reportLate(workers: readonly string[]): void {
    if (workers.length === 0) return
    this.#metrics.late.inc(workers.length)
    this.#logger.warn({ workers }, 'workers did not answer in time')
  }
}
