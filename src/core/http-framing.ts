/**
 * How an HTTP/1 request goes on after its head, as far as that is plain. What is not plain (a chunked body,
 * contradicting lengths) is left to a full parser: nothing is guessed. Pure.
 */
import type { RequestHead } from './http-head-parser.ts'

export interface Framing {
  /** Length of the body; undefined if only a full parser can tell. */
  bodyBytes: number | undefined
  /** The connection may carry something else than HTTP/1 after this head. */
  isUpgrade: boolean
  /** The client expects another response on this connection. */
  keepsAlive: boolean
}

const LENGTH = /^[0-9]{1,15}$/

export function framingOf({ method, version, headerLines }: RequestHead): Framing {
  const lengths: string[] = []
  const options = new Set<string>()
  let isEncoded = false
  let isUpgrade = method === 'CONNECT'
  for (const line of headerLines) {
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).trim()
    switch (line.slice(0, colon).toLowerCase()) {
      case 'content-length':
        lengths.push(value)
        break
      case 'transfer-encoding':
        isEncoded = true
        break
      case 'upgrade':
        isUpgrade = true
        break
      case 'connection':
        for (const option of value.toLowerCase().split(',')) options.add(option.trim())
        break
    }
  }
  return {
    bodyBytes: isEncoded ? undefined : bodyBytes(lengths),
    isUpgrade: isUpgrade || options.has('upgrade'),
    keepsAlive:
      version === '1.1' ? !options.has('close') : options.has('keep-alive') && !options.has('close'),
  }
}

function bodyBytes(lengths: readonly string[]): number | undefined {
  const [length = '0', ...others] = lengths
  return others.length === 0 && LENGTH.test(length) ? Number(length) : undefined
}
