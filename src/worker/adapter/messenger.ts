/**
 * What one namespace of this worker and the other servers of it say to each other: notices, questions and answers.
 * Every question is settled: by the answers, by the word that a server is gone, or at its deadline.
 */

import type { Logger } from 'pino'
import { MessageType } from 'socket.io-adapter'
import type { Link } from '../link/link.ts'
import { AdapterAcks } from './broadcast-acks.ts'
import { cloneable } from './cloneable.ts'
import { encodeControl } from './codec.ts'
import type { AdapterAnswer } from './messages.ts'
import { FAILED } from './messages.ts'
import type { AdapterMetrics } from './metrics.ts'
import type { AnswersListener } from './pending-requests.ts'
import { AdapterRequests } from './pending-requests.ts'

/** Questions of one namespace that may be open. */
const MAX_OPEN_QUESTIONS = 4_096

export interface TalkOptions {
  nsp: string
  link: Pick<Link, 'publish' | 'publishWithReceipt' | 'send'>
  logger: Logger
  metrics: AdapterMetrics
}

export interface Notice {
  type: MessageType
  data: object
}

export interface AskedClients {
  topics: string[]
  timeoutMs: number
  /** The broadcast under the number that its acknowledgements will have. */
  body: (id: string) => Buffer
  ack: (value: unknown) => void
  /** Called at most once, with the number of acknowledgements that there were. */
  settled: (clients: number) => void
}

export class AdapterTalk {
  readonly #nsp: string
  readonly #link: TalkOptions['link']
  readonly #logger: Logger
  readonly #metrics: AdapterMetrics
  readonly #requests = new AdapterRequests(MAX_OPEN_QUESTIONS)
  readonly #acks = new AdapterAcks(MAX_OPEN_QUESTIONS)
  #closed = false

  constructor({ nsp, link, logger, metrics }: TalkOptions) {
    this.#nsp = nsp
    this.#link = link
    this.#logger = logger.child({ nsp })
    this.#metrics = metrics
  }

  get openQuestions(): number {
    return this.#requests.size + this.#acks.size
  }

  /** Throws when it has no structured clone. */
  tell(topics: string[], notice: object, grants: string[] = []): void {
    if (!this.#closed) this.#link.publish(topics, encodeControl(this.#nsp, notice), { grants })
  }

  /** Throws when it has no structured clone; `listener` is not called then. */
  ask(
    { type, data }: Notice,
    { topics, timeoutMs }: { topics: string[]; timeoutMs: number },
    listener: AnswersListener,
  ) {
    const id = this.#requests.open(timeoutMs, (answers, error) => {
      this.#miss(answers.missing)
      this.#late(answers.late)
      listener(answers, error)
    })
    if (id === null) return
    try {
      const body = encodeControl(this.#nsp, { type, data: { ...data, requestId: id } })
      this.#link.publishWithReceipt(topics, body, (workers, error) => {
        if (error === undefined) this.#requests.asked(id, workers)
        else this.#requests.fail(id, error)
      })
    } catch (error) {
      this.#requests.withdraw(id)
      throw error
    }
  }

  /** Throws when the broadcast can't be sent; `settled` is not called then. */
  askClients({ topics, timeoutMs, body, ack, settled }: AskedClients): void {
    const id = this.#acks.open({
      timeoutMs,
      ack,
      settled: (clients, gone) => {
        this.#miss(gone)
        settled(clients)
      },
    })
    try {
      this.#link.publishWithReceipt(topics, body(id), (workers) => this.#acks.asked(id, workers))
    } catch (error) {
      this.#acks.drop(id)
      throw error
    }
  }

  /** An answer that can't be sent is replaced by the word that there will be none. */
  answer(to: string, type: MessageType, data: Record<string, unknown> & { requestId: string }): void {
    if (this.#closed) return
    try {
      this.#link.send(to, this.#answerBody(type, data))
    } catch (error) {
      this.#logger.error({ err: error, to }, 'an answer to another worker can not be sent')
      this.refuse(to, data.requestId, error)
    }
  }

  refuse(to: string, requestId: string, error: unknown): void {
    const message = { type: FAILED, data: { requestId, reason: String(error) } }
    this.#link.send(to, encodeControl(this.#nsp, message))
  }

  onAnswer(message: AdapterAnswer, from: string): void {
    const { requestId } = message.data
    switch (message.type) {
      case MessageType.FETCH_SOCKETS_RESPONSE:
        return this.#requests.answered(requestId, from, message.data.sockets)
      case MessageType.SERVER_SIDE_EMIT_RESPONSE:
        return this.#requests.answered(requestId, from, message.data.packet)
      case MessageType.BROADCAST_CLIENT_COUNT:
        return this.#acks.counted(requestId, from, message.data.clientCount)
      case MessageType.BROADCAST_ACK:
        return this.#acks.acked(requestId, from, message.data.packet)
      case FAILED:
        this.#logger.error({ from, reason: message.data.reason }, 'another worker could not answer')
        this.#requests.unable(requestId, from)
        return this.#acks.unable(requestId, from)
    }
  }

  /** The worker does not serve the namespace any more. */
  left(worker: string): void {
    this.#requests.gone(worker)
    this.#acks.gone(worker)
  }

  close(): void {
    this.#closed = true
    this.#requests.failAll(new Error('the namespace has been closed'))
    this.#acks.dropAll()
  }

  /** Of sockets, what has a clone: what an application keeps in `socket.data` need not have one. */
  #answerBody(type: MessageType, data: object): Buffer {
    try {
      return encodeControl(this.#nsp, { type, data })
    } catch (error) {
      if (type !== MessageType.FETCH_SOCKETS_RESPONSE) throw error
      const lost: string[] = []
      const rest = cloneable(data, (path) => lost.push(path))
      this.#metrics.uncloned.inc()
      this.#logger.warn({ err: error, lost }, 'what has no structured clone was left out of fetched sockets')
      return encodeControl(this.#nsp, { type, data: rest })
    }
  }

  #miss(workers: readonly string[]): void {
    if (workers.length === 0) return
    this.#metrics.missing.inc(workers.length)
    this.#logger.warn({ workers }, 'workers went before they had answered')
  }

  #late(workers: readonly string[]): void {
    if (workers.length === 0) return
    this.#metrics.late.inc(workers.length)
    this.#logger.warn({ workers }, 'workers have not answered in time')
  }
}
