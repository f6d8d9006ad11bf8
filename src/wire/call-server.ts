/**
 * Serves the calls of the other side of a link: checks the parameters, runs the handler, turns failures into
 * errors.
 */
import type { Logger } from 'pino'
import { RookeryError } from './errors.ts'
import { replyFrame } from './frames.ts'
import type { RequestTable } from './requests.ts'
import { validate } from './validate.ts'

export type CallHandler = (params: unknown, from: string) => unknown

export interface ServedCall {
  id: number
  method: string
  params: unknown
  from: string
}

export class CallServer {
  readonly #table: RequestTable
  readonly #handlers: ReadonlyMap<string, CallHandler>
  readonly #logger: Logger
  readonly #maxRunning: number
  readonly #maxReplyBytes: number
  #running = 0

  constructor(options: {
    table: RequestTable
    handlers: ReadonlyMap<string, CallHandler>
    logger: Logger
    maxRunning: number
    /** A longer reply becomes the error `too_large`: the other side would close the link. */
    maxReplyBytes: number
  }) {
    this.#table = options.table
    this.#handlers = options.handlers
    this.#logger = options.logger
    this.#maxRunning = options.maxRunning
    this.#maxReplyBytes = options.maxReplyBytes
  }

  /** Calls whose handlers still run. */
  get running(): number {
    return this.#running
  }

  /** Resolves with the reply frame; never rejects. */
  async serve(call: ServedCall): Promise<Buffer> {
    if (this.#running >= this.#maxRunning)
      return refusal(
        call.id,
        new RookeryError('unavailable', `${call.method}: too many requests are being served`),
      )
    this.#running += 1
    try {
      return this.#bounded(replyFrame(call.id, true, await this.#run(call)), call)
    } catch (error) {
      return refusal(call.id, this.#toRookeryError(error, call))
    } finally {
      this.#running -= 1
    }
  }

  async #run({ method, params, from }: ServedCall): Promise<unknown> {
    const shape = Object.hasOwn(this.#table, method) ? this.#table[method] : undefined
    if (shape === undefined) throw new RookeryError('bad_request', `no such request: ${method}`)
    const handler = this.#handlers.get(method)
    if (handler === undefined) throw new RookeryError('unavailable', `${method}: not served yet`)
    return handler(validate(shape.params, params, method), from)
  }

  #bounded(reply: Buffer, { method, from }: ServedCall): Buffer {
    if (reply.length <= this.#maxReplyBytes) return reply
    const error = `${method}: a reply of ${reply.length} bytes, ${this.#maxReplyBytes} allowed`
    this.#logger.error({ method, from, bytes: reply.length }, 'a reply is too long for the link')
    throw new RookeryError('too_large', error)
  }

  #toRookeryError(error: unknown, { method, from }: ServedCall): RookeryError {
    if (error instanceof RookeryError) return error
    this.#logger.error({ err: error, method, from }, 'a request on the link failed')
    return new RookeryError('internal', `${method}: internal error`)
  }
}

function refusal(id: number, error: RookeryError): Buffer {
  return replyFrame(id, false, error.toBody())
}
