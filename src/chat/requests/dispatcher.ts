/**
 * Serves the requests of every session: each is counted, limited, checked and answered once, whatever happens on the
 * way. An event without an ack callback is served all the same; what would have been an error is counted and dropped.
 */
import type { Logger } from 'pino'
import { RookeryError } from '../../wire/errors.ts'
import type { ChatMetrics } from '../metrics.ts'
import type { Session } from '../session.ts'
import { failureBody } from './failures.ts'
import type { Rates } from './rate.ts'
import type { Outcome, RequestRow } from './requests.ts'

export interface RequestDeskOptions {
  table: ReadonlyMap<string, RequestRow>
  rates: Rates
  metrics: Pick<ChatMetrics, 'requests'>
  logger: Logger
}

type AckCallback = (answer: object) => void

export class RequestDesk {
  readonly #options: RequestDeskOptions

  constructor(options: RequestDeskOptions) {
    this.#options = options
  }

  /** `args`: what came with the event, the ack callback last if there is one. Never rejects. */
  async serve(session: Session, event: unknown, args: unknown[]): Promise<void> {
    const row = typeof event === 'string' ? this.#options.table.get(event) : undefined
    const name = row === undefined ? 'unknown' : String(event)
    const { ack, payloads } = split(args)
    session.owe()
    let code = 'ok'
    try {
      const { answer, afterwards } = await this.#outcome(session, row, payloads)
      ack?.({ ok: true, ...answer })
      afterwards?.()
    } catch (error) {
      const body = failureBody(error, this.#options.logger, name)
      code = body.code
      ack?.({ ok: false, error: body })
    } finally {
      session.answered()
      this.#options.metrics.requests.inc({ event: name, code })
    }
  }

  async #outcome(session: Session, row: RequestRow | undefined, payloads: unknown[]): Promise<Outcome> {
    if (session.settling) throw new RookeryError('draining', 'this worker is going; connect again')
    await this.#options.rates[row?.rate ?? 'request'](session.user.id)
    if (row === undefined) throw new RookeryError('not_found', 'no such event')
    if (payloads.length !== 1) {
      throw new RookeryError('bad_request', 'an event takes one object, and then an ack at most')
    }
    return row.serve(session, payloads[0])
  }
}

function split(args: unknown[]): { ack: AckCallback | undefined; payloads: unknown[] } {
  const last = args.at(-1)
  if (typeof last !== 'function') return { ack: undefined, payloads: args }
  return { ack: (answer) => void Reflect.apply(last, undefined, [answer]), payloads: args.slice(0, -1) }
}
