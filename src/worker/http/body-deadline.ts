/**
 * Ends requests whose body stops arriving. Node does this only for servers that listen; a worker's never
 * does. A slow upload may take as long as it likes, as long as something arrives.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import { LogThrottle } from '../../core/log-throttle.ts'
import { endWithError } from './last-response.ts'

export interface BodyDeadlineOptions {
  /** A body of which nothing arrives for one to two times this is given up. */
  silenceMs: number
  logger: Logger
  registry: Registry
}

const WARN_EVERY_MS = 10_000

export function limitBodySilence(server: Server, { silenceMs, logger, registry }: BodyDeadlineOptions): void {
  const cut = new Counter({
    name: 'rookery_slow_bodies_total',
    help: 'Requests ended with 408 because their body stopped arriving',
    registers: [registry],
  })
  const throttle = new LogThrottle(WARN_EVERY_MS)
  const giveUp = (request: IncomingMessage, response: ServerResponse) => {
    cut.inc()
    const { method, url, socket } = request
    throttle.run((heldBack) =>
      logger.warn(
        { method, path: url?.split('?', 1)[0], remoteAddress: socket.remoteAddress, silenceMs, heldBack },
        'a request was ended because its body stopped arriving',
      ),
    )
    refuse(response)
  }
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (hasBody(request)) watch(request, silenceMs, () => giveUp(request, response))
  })
}

function watch(request: IncomingMessage, silenceMs: number, onSilence: () => void): void {
  const { socket } = request
  let bytesRead = socket.bytesRead
  const timer = setInterval(() => {
    const hasArrived = socket.bytesRead > bytesRead
    bytesRead = socket.bytesRead
    // A handler that does not read stops the client.
    if (hasArrived || request.readableLength >= request.readableHighWaterMark) return
    clearInterval(timer)
    onSilence()
  }, silenceMs)
  timer.unref()
  for (const event of ['end', 'close'] as const) request.once(event, () => clearInterval(timer))
}

function refuse(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const error = { code: 'bad_request', message: 'the body stopped arriving', retryable: false }
  endWithError(response, 408, error)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
