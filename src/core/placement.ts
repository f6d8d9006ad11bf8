/**
 * Keyed placement: clients with the same value in the head of their handshakes get the same worker of a host. The value
 * chooses one of the host's places for workers, which a successor takes over, so that keys move only with their place. Pure.
 */
import { createHash } from 'node:crypto'
import type { RequestHead } from './http-head-parser.ts'

/** Where the value is. */
export interface Placement {
  from: 'query' | 'header' | 'cookie'
  name: string
}

type KeyedHead = Pick<RequestHead, 'query' | 'headerLines'>

/** @returns undefined if the request has no such value: its worker is chosen by load */
export function placementKey({ from, name }: Placement, head: KeyedHead): string | undefined {
  const value = from === 'query' ? head.query.getAll(name).at(-1) : headValue(from, name, head)
  return value === undefined || value === '' ? undefined : value
}

/** @param slots the number of places */
export function slotOf(key: string, slots: number): number {
  return createHash('sha1').update(key).digest().readUInt32BE() % slots
}

function headValue(from: 'header' | 'cookie', name: string, { headerLines }: KeyedHead): string | undefined {
  if (from === 'header') return valueOf(headerLines, name.toLowerCase(), ':', true)
  const cookies = valueOf(headerLines, 'cookie', ':', true)?.split(';') ?? []
  return valueOf(cookies, name, '=', false)
}

/** Of the first pair with this name. */
function valueOf(
  pairs: readonly string[],
  name: string,
  separator: string,
  isCaseless: boolean,
): string | undefined {
  for (const pair of pairs) {
    const end = pair.indexOf(separator)
    const found = pair.slice(0, Math.max(0, end)).trim()
    if ((isCaseless ? found.toLowerCase() : found) === name) return pair.slice(end + 1).trim()
  }
  return undefined
}
