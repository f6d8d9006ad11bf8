/**
 * Finds out from a request head where its connection belongs. Reads only the request target, no headers or
 * cookies.
 */
import type { RequestHead } from '../../core/http-head-parser.ts'
import { ownerOf } from '../../core/session-id.ts'

export type RequestKind = 'session' | 'handshake' | 'plain'

export interface Destination {
  kind: RequestKind
  /** Tag of the worker that owns the session. */
  tag: string | null
}

/** Same rules as Engine.IO: of repeated parameters the last counts; a handshake has no `sid`. */
export function destinationOf(head: RequestHead): Destination {
  const sessionId = head.query.getAll('sid').at(-1)
  if (sessionId === undefined) return { kind: head.query.has('EIO') ? 'handshake' : 'plain', tag: null }
  const tag = ownerOf(sessionId)
  return tag === null ? { kind: 'plain', tag: null } : { kind: 'session', tag }
}
