/**
 * Parses one HTTP/1 request head from chunks of any size, strictly, within a byte limit. Checks each byte
 * once, however the head is split. Uses no socket, does not interpret headers, and ignores what follows the
 * head.
 */

export interface RequestHead {
  method: string
  target: string
  /** The target without scheme, authority and query. */
  path: string
  query: URLSearchParams
  version: '1.0' | '1.1'
  /** One for each header, `name: value`. */
  headerLines: readonly string[]
  headBytes: number
}

export type HttpHeadRefusal = { status: 400 | 414 | 431; reason: string }

export type HttpHeadProgress =
  | { state: 'partial' }
  | { state: 'complete'; head: RequestHead }
  | ({ state: 'refused' } & HttpHeadRefusal)

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const DELETE = 0x7f
const HEAD_END = '\r\n\r\n'
const MAX_HEADER_LINES = 200
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP\/1\.([01])$/
const HEADER_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n]*$/
const AUTHORITY = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/

export class HttpHeadParser {
  readonly #limitBytes: number
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0
  #checked = 0
  #lineEnd = -1

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** All bytes so far, including those after the head. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Adds a chunk. After any result but `partial`, do not push more. */
  push(chunk: Buffer): HttpHeadProgress {
    this.#append(chunk)
    const end = this.bytes.indexOf(HEAD_END, Math.max(0, this.#checked - (HEAD_END.length - 1)), 'latin1')
    const headBytes = end === -1 ? this.#length : end + HEAD_END.length
    const refusal = this.#check(Math.min(headBytes, this.#limitBytes)) ?? this.#checkSize(headBytes)
    if (refusal !== null) return { state: 'refused', ...refusal }
    return end === -1 ? { state: 'partial' } : this.#parse(headBytes)
  }

  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length
    if (this.#length === 0) this.#buffer = chunk
    else {
      if (length > this.#buffer.length) {
        const larger = Buffer.alloc(Math.max(2 * this.#buffer.length, length))
        this.bytes.copy(larger)
        this.#buffer = larger
      }
      chunk.copy(this.#buffer, this.#length)
    }
    this.#length = length
  }

  /** Checks the unchecked bytes up to `until`, and the request line once it is complete. */
  #check(until: number): HttpHeadRefusal | null {
    let previous = this.#checked === 0 ? SPACE : (this.#buffer[this.#checked - 1] ?? SPACE)
    for (let at = this.#checked; at < until; at += 1) {
      const byte = this.#buffer[at] ?? 0
      if ((byte === LF) !== (previous === CR)) return { status: 400, reason: 'bare CR or LF' }
      if (isForbidden(byte)) return { status: 400, reason: 'control character' }
      if (byte === LF && this.#lineEnd === -1) {
        this.#lineEnd = at - 1
        if (!REQUEST_LINE.test(this.#text(0, this.#lineEnd))) {
          return { status: 400, reason: 'malformed request line' }
        }
      }
      previous = byte
    }
    this.#checked = until
    return null
  }

  #checkSize(headBytes: number): HttpHeadRefusal | null {
    if (headBytes <= this.#limitBytes) return null
    return this.#lineEnd === -1
      ? { status: 414, reason: 'request line too long' }
      : { status: 431, reason: 'head too long' }
  }

  #parse(headBytes: number): HttpHeadProgress {
    const lines = this.#text(this.#lineEnd + 2, headBytes - HEAD_END.length + 2).split('\r\n')
    lines.pop()
    if (lines.length > MAX_HEADER_LINES) return { state: 'refused', status: 431, reason: 'too many headers' }
    if (!lines.every((line) => HEADER_LINE.test(line))) {
      return { state: 'refused', status: 400, reason: 'malformed header line' }
    }
    const [, method = '', target = '', minor] = REQUEST_LINE.exec(this.#text(0, this.#lineEnd)) ?? []
    const version = minor === '0' ? '1.0' : '1.1'
    const head: RequestHead = {
      method,
      target,
      ...splitTarget(target),
      version,
      headerLines: lines,
      headBytes,
    }
    return { state: 'complete', head }
  }

  #text(start: number, end: number): string {
    return this.#buffer.toString('latin1', start, end)
  }
}

function isForbidden(byte: number): boolean {
  return (byte < SPACE && byte !== TAB && byte !== CR && byte !== LF) || byte === DELETE
}

function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const [local = ''] = target.replace(AUTHORITY, '').split('#', 1)
  const mark = local.indexOf('?')
  if (mark === -1) return { path: local, query: new URLSearchParams() }
  return { path: local.slice(0, mark), query: new URLSearchParams(local.slice(mark + 1)) }
}
