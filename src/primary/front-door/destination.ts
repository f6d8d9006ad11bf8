/** What a request head says about where its connection belongs. Reads the target alone, never a header or a cookie. */
import type { RequestHead } from '../../core/http-head-parser.ts'
import { ownerOf } from '../../core/session-id.ts'

export type RequestKind = 'session' | 'handshake' | 'plain'

export interface Destination {
  kind: RequestKind
  /** The tag of the worker that owns the session. */
  tag: string | null
}

/** As Engine.IO reads it: of several parameters of one name the last counts, and a handshake is one without `sid`. */
export function destinationOf(head: RequestHead): Destination {
  const sessionId = head.query.getAll('sid').at(-1)
  if (sessionId === undefined) return { kind: head.query.has('EIO') ? 'handshake' : 'plain', tag: null }
  const tag = ownerOf(sessionId)
  return tag === null ? { kind: 'plain', tag: null } : { kind: 'session', tag }
}
