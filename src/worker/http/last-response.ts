/** A response of the worker itself, in place of a handler's: JSON, the last one on its connection. */
import type { ServerResponse } from 'node:http'
import { RookeryError } from '../../wire/errors.ts'

/** Call only before the head of the response has been sent. */
export function endWithError(
  response: ServerResponse,
  status: number,
  error: { code: string; message: string; retryable: boolean; retryAfterMs?: number | undefined },
): void {
  const body = `${JSON.stringify({ ok: false, error })}\n`
  if (error.retryAfterMs !== undefined)
    response.setHeader('Retry-After', Math.ceil(error.retryAfterMs / 1_000))
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
  })
  response.end(body)
}

/** When the code that answers has failed: 500, or the end of a response that has begun. */
export function endFailed(response: ServerResponse): void {
  if (response.writableEnded || response.destroyed) return
  const error = new RookeryError('internal', 'the request failed')
  if (response.headersSent) response.destroy()
  else endWithError(response, error.status, error.toBody())
}
