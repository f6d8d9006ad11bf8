/**
 * Passes connections back to the primary, one at a time: a Node channel carries one handle per round trip and
 * holds back every later message meanwhile. As long as a connection waits, nothing is read from it.
 */
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { Counter, Gauge, type Registry } from 'prom-client'
import { stoppedSocket } from '../../core/stopped-socket.ts'
import type { WorkerControl } from '../../wire/control.ts'

/** `process.send` */
export type SendToPrimary = (
  message: WorkerControl,
  handle: Socket | undefined,
  options: undefined,
  callback: (error: Error | null) => void,
) => unknown

export class HandBack {
  readonly #send: SendToPrimary
  readonly #logger: Logger
  readonly #handedBack: Counter
  /** Bounded by the kept connections. */
  readonly #waiting = new Map<Socket, Buffer>()
  #isSending = false
  #onEmpty: (() => void)[] = []

  constructor(send: SendToPrimary, { logger, registry }: { logger: Logger; registry: Registry }) {
    this.#send = send
    this.#logger = logger
    this.#handedBack = new Counter({
      name: 'rookery_handed_back_total',
      help: 'Connections handed back to the primary, because their next request is not for this worker',
      registers: [registry],
    })
    const waiting: Gauge = new Gauge({
      name: 'rookery_hand_backs_waiting',
      help: 'Connections that wait to be handed back to the primary',
      registers: [registry],
      collect: () => waiting.set(this.#waiting.size),
    })
  }

  /** @param bytes were read from the connection and come first */
  add(socket: Socket, bytes: Buffer): void {
    const stopped = stoppedSocket(socket, {})
    if (stopped === undefined) return
    stopped.on('error', (error) => this.#logger.debug({ err: error }, 'connection failed'))
    this.#waiting.set(stopped, bytes)
    this.#sendNext()
  }

  /** Resolves when none waits. */
  empty(): Promise<void> {
    if (!this.#isSending) return Promise.resolve()
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  #sendNext(): void {
    if (this.#isSending) return
    const [next] = this.#waiting
    if (next === undefined) {
      for (const resolve of this.#onEmpty.splice(0)) resolve()
      return
    }
    const [socket, data] = next
    this.#waiting.delete(socket)
    this.#isSending = true
    this.#send({ type: 'rookery:hand-back', data }, socket, undefined, (error) => {
      if (error === null) this.#handedBack.inc()
      else this.#logger.warn({ err: error }, 'a connection could not be handed back')
      socket.destroy()
      this.#isSending = false
      this.#sendNext()
    })
  }
}
