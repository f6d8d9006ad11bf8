/**
 * The CORS headers of the primary's own responses: the same that Socket.IO gives in a worker. Without them a
 * browser hides the status from the page, which sees a network error. Pure.
 */

import { rawHeader } from '../../core/raw-header.ts'
import type { CorsPolicy } from '../../wire/control.ts'
import type { HttpResponse } from './responses.ts'

type Headers = Readonly<Record<string, string>>

const ALLOWED_METHODS = 'GET,HEAD,PUT,PATCH,POST,DELETE'
const HEADER_NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z, -]+$/

/** @param request its bytes so far, from the first; an incomplete head is searched for what is there */
export function corsHeaders(policy: CorsPolicy | undefined, request: Buffer): Headers {
  if (policy === undefined) return {}
  const allowed = allowedOrigin(policy, request)
  return {
    ...(allowed === undefined ? {} : { 'Access-Control-Allow-Origin': allowed }),
    ...(allowed === undefined || !policy.credentials ? {} : { 'Access-Control-Allow-Credentials': 'true' }),
    ...(policy.origin === '*' ? {} : { Vary: 'Origin' }),
  }
}

/**
 * The answer to a preflight that no worker can answer now. With it the browser sends the request itself,
 * whose refusal the page can read and wait for. Only for Socket.IO, at `path`: other routes are the
 * application's.
 */
export function preflightAnswer(
  policy: CorsPolicy | undefined,
  path: string,
  request: Buffer,
): HttpResponse | undefined {
  const start = `OPTIONS ${path}`
  if (policy === undefined || request.toString('latin1', 0, start.length) !== start) return undefined
  if (rawHeader(request, 'Access-Control-Request-Method') === undefined) return undefined
  if (allowedOrigin(policy, request) === undefined) return undefined
  const names = rawHeader(request, 'Access-Control-Request-Headers') ?? ''
  return {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': ALLOWED_METHODS,
      ...(HEADER_NAMES.test(names) ? { 'Access-Control-Allow-Headers': names } : {}),
    },
  }
}

function allowedOrigin({ origin }: CorsPolicy, request: Buffer): string | undefined {
  if (origin === '*') return origin
  const asked = rawHeader(request, 'Origin')
  return origin.find((allowed) => allowed === asked)
}
