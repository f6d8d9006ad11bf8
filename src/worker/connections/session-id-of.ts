import type { IncomingMessage } from 'node:http'

/** The Engine.IO session that a request names; empty: none. */
export function sessionIdOf({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  return new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('sid') ?? ''
}
