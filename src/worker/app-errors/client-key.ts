/** What tells one client from another, behind the same address too: a proxy and a NAT have one for all. */
import { createHash } from 'node:crypto'
import type { Socket } from 'socket.io'

export function clientKey({ address, auth, headers }: Socket['handshake']): string {
  const { authorization, cookie } = headers
  const parts = [address, headers['user-agent'], authorization, cookie, textOf(auth)]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

/** With another parser it may be anything. */
function textOf(auth: unknown): string {
  try {
    return JSON.stringify(auth)
  } catch {
    return ''
  }
}
