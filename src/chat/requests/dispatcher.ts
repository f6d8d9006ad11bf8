/**
 * Dispatches the requests of all sessions: counts, rate limits and checks each one, and answers it exactly
 * once. An event without an ack callback is served too; its error is counted and dropped.
 */
import type { Logger } from 'pino'
import { RookeryError } from '../../wire/errors.ts'
import { errorBodyOf } from '../errors.ts'
import type { ChatMetrics } from '../metrics.ts'
import type { Session } from '../session.ts'
import type { Rates } from './rate.ts'
import type { RequestHandler, RequestResult } from './requests.ts'

export interface RequestDispatcherOptions {
  handlers: ReadonlyMap<string, RequestHandler>
  rates: Rates
  metrics: Pick<ChatMetrics, 'requests'>
  logger: Logger
}

type AckCallback = (answer: object) => void

export class RequestDispatcher {
  readonly #options: RequestDispatcherOptions

  constructor(options: RequestDispatcherOptions) {
    this.#options = options
  }

  /** @param args the arguments of the event, with the ack callback last if there is one. Never rejects. */
  async serve(session: Session, event: unknown, args: unknown[]): Promise<void> {
    const handler = typeof event === 'string' ? this.#options.handlers.get(event) : undefined
    const name = handler === undefined ? 'unknown' : String(event)
    const { ack, payloads } = split(args)
    session.startRequest()
    let code = 'ok'
    try {
      const { answer, onSent } = await this.#run(session, handler, payloads)
      ack?.({ ok: true, ...answer })
      onSent?.()
    } catch (error) {
      const body = errorBodyOf(error, this.#options.logger, name)
      code = body.code
      ack?.({ ok: false, error: body })
    } finally {
      session.endRequest()
      this.#options.metrics.requests.inc({ event: name, code })
    }
  }

  async #run(
    session: Session,
    handler: RequestHandler | undefined,
    payloads: unknown[],
  ): Promise<RequestResult> {
    if (session.draining) throw new RookeryError('draining', 'this worker is going; connect again')
    if (handler?.rate === 'page') return this.#servePage(session, handler, payloads)
    await this.#options.rates[handler?.rate ?? 'request'](session.user.id)
    if (handler === undefined) throw new RookeryError('not_found', 'no such event')
    return serveOne(session, handler, payloads)
  }

  /** The session counts a page when its turn comes. A request that is refused before that is counted here. */
  async #servePage(session: Session, handler: RequestHandler, payloads: unknown[]): Promise<RequestResult> {
    try {
      return await serveOne(session, handler, payloads)
    } catch (error) {
      if (error instanceof RookeryError && !error.retryable) await this.#options.rates.page(session.user.id)
      throw error
    }
  }
}

async function serveOne(
  session: Session,
  handler: RequestHandler,
  payloads: unknown[],
): Promise<RequestResult> {
  if (payloads.length !== 1) {
    throw new RookeryError('bad_request', 'an event takes one object, and then an ack at most')
  }
  return handler.serve(session, payloads[0])
}

function split(args: unknown[]): { ack: AckCallback | undefined; payloads: unknown[] } {
  const last = args.at(-1)
  if (typeof last !== 'function') return { ack: undefined, payloads: args }
  return { ack: (answer) => void Reflect.apply(last, undefined, [answer]), payloads: args.slice(0, -1) }
}
