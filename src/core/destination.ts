/**
 * Finds out from a request head where its connection belongs. Reads only the request line, no headers or
 * cookies.
 */
import type { RequestHead } from './http-head-parser.ts'
import { ownerOf } from './session-id.ts'

export type RequestKind = 'session' | 'handshake' | 'plain'

export interface Destination {
  kind: RequestKind
  /** Tag of the worker that owns the session. */
  tag: string | null
}

/** Where Socket.IO is, and what it accepts there. An application may choose it. */
export interface Endpoint {
  /** Socket.IO serves the targets that begin with this. */
  path: string
  /** Versions of Engine.IO's protocol. */
  protocols: readonly ('3' | '4')[]
  transports: readonly ('polling' | 'websocket')[]
}

export const DEFAULT_ENDPOINT: Endpoint = {
  path: '/socket.io/',
  protocols: ['4'],
  transports: ['polling', 'websocket'],
}

/** Same rules as Engine.IO: of repeated parameters the last counts; a handshake has no `sid`. */
export function destinationOf(head: RequestHead, endpoint: Endpoint): Destination {
  const sessionId = head.query.getAll('sid').at(-1)
  if (sessionId === undefined)
    return { kind: canOpenSession(head, endpoint) ? 'handshake' : 'plain', tag: null }
  const tag = ownerOf(sessionId)
  return tag === null ? { kind: 'plain', tag: null } : { kind: 'session', tag }
}

/** Engine.IO refuses or ignores all other requests: they must not count as new sessions. */
function canOpenSession({ method, target, query }: RequestHead, endpoint: Endpoint): boolean {
  return (
    method === 'GET' &&
    target.startsWith(endpoint.path) &&
    includes(endpoint.protocols, query.getAll('EIO').at(-1)) &&
    includes(endpoint.transports, query.getAll('transport').at(-1))
  )
}

const includes = (values: readonly string[], value: string | undefined) =>
  value !== undefined && values.includes(value)

export const HEALTH_PATH = '/healthz'
export const READY_PATH = '/readyz'
/** Paths that the primary answers by itself. */
const PRIMARY_PATHS: ReadonlySet<string> = new Set([HEALTH_PATH, READY_PATH])

/**
 * Whether the worker with this tag serves the next request of a kept connection without the primary: one of
 * its own sessions, or one without a session. New sessions are the primary's: it balances and admits them.
 *
 * @param own tag of the worker, and where its Socket.IO is
 * @param isDue a request without a session is balanced anew too
 */
export function isServedBy(
  own: { tag: string; endpoint: Endpoint },
  head: RequestHead,
  isDue: boolean,
): boolean {
  const { kind, tag } = destinationOf(head, own.endpoint)
  if (kind === 'session') return tag === own.tag
  return kind === 'plain' && !isDue && !PRIMARY_PATHS.has(head.path)
}
