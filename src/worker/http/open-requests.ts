/**
 * The open HTTP requests, so that a worker can stop when there are none, and can end those that would not
 * end by themselves: streams of events, slow handlers, requests whose client never reads the response.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { withTimeout } from '../../core/with-timeout.ts'
import { RookeryError } from '../../wire/errors.ts'
import { endWithError } from './last-response.ts'

/** A client that does not read its response gets this long for the end of it. */
const END_MS = 500
const RETRY_AFTER_MS = 2_000

export class OpenRequests {
  readonly #logger: Logger
  readonly #open = new Set<ServerResponse>()
  /** A response behind another one on its connection has no `close` of its own. */
  readonly #bySocket = new WeakMap<IncomingMessage['socket'], Set<ServerResponse>>()
  #idle: (() => void)[] = []

  constructor(server: Server, logger: Logger) {
    this.#logger = logger
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#open.add(response)
      const ofSocket = this.#ofSocket(socket)
      ofSocket.add(response)
      response.once('close', () => {
        ofSocket.delete(response)
        this.#closed(response)
      })
    })
  }

  /** Waits up to `timeoutMs` until no request is open. Then ends those that are. */
  async finish(timeoutMs: number): Promise<void> {
    await this.#untilIdle(timeoutMs)
    if (this.#open.size === 0) return
    this.#logger.info({ count: this.#open.size }, 'ending HTTP responses that are still open')
    for (const response of this.#open) this.#end(response)
    await this.#untilIdle(END_MS)
  }

  #ofSocket(socket: IncomingMessage['socket']): Set<ServerResponse> {
    const known = this.#bySocket.get(socket)
    if (known !== undefined) return known
    const responses = new Set<ServerResponse>()
    this.#bySocket.set(socket, responses)
    socket.once('close', () => {
      for (const response of responses) this.#closed(response)
    })
    return responses
  }

  #closed(response: ServerResponse): void {
    this.#open.delete(response)
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #untilIdle(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return
    const isIdle = new Promise<void>((resolve) => this.#idle.push(resolve))
    await withTimeout(timeoutMs, isIdle, () => undefined)
  }

  #end(response: ServerResponse): void {
    // The application may still write to it.
    response.on('error', (error) => this.#logger.debug({ err: error }, 'a write to an ended HTTP response'))
    if (response.headersSent) response.end()
    else answerUnavailable(response)
  }
}

function answerUnavailable(response: ServerResponse): void {
  const error = new RookeryError('unavailable', 'the server is stopping', { retryAfterMs: RETRY_AFTER_MS })
  endWithError(response, error.status, error.toBody())
}
