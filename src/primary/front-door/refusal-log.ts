/**
 * Says in the log what came in place of an HTTP request, when it is a sign of a wrong configuration. Anybody
 * can send anything, so there is at most one line per minute and kind.
 */
import type { Logger } from 'pino'
import { LogThrottle } from '../../core/log-throttle.ts'
import { readProxyHeader } from '../../core/proxy-header.ts'

type Kind = 'proxy' | 'tls' | 'http2' | 'no_header'

const WARN_EVERY_MS = 60_000
const MESSAGES: Readonly<Record<Kind, string>> = {
  proxy: 'a connection began with the PROXY protocol: its sender must be named in PROXY_PROTOCOL_FROM',
  tls: 'a connection began with TLS: this port expects HTTP, and a proxy in front of it must end TLS',
  http2: 'a connection began with HTTP/2: a proxy must use HTTP/1.1 here',
  no_header: 'a connection from PROXY_PROTOCOL_FROM did not begin with a valid header of the PROXY protocol',
}
/** Fewer may be the beginning of anything. */
const PROXY_MIN_BYTES = 6
const TLS_HANDSHAKE = '\x16\x03'
const HTTP2 = 'PRI * HTTP/2.0\r\n'

export class RefusalLog {
  readonly #logger: Logger
  readonly #throttles: Readonly<Record<Kind, LogThrottle>>

  constructor(logger: Logger, nowMs: () => number) {
    const throttle = () => new LogThrottle(WARN_EVERY_MS, nowMs)
    this.#logger = logger
    this.#throttles = { proxy: throttle(), tls: throttle(), http2: throttle(), no_header: throttle() }
  }

  /**
   * @param bytes what was read of the refused head
   * @param mustBeProxied the sender is in PROXY_PROTOCOL_FROM
   */
  note(bytes: Buffer, remoteAddress: string | undefined, mustBeProxied: boolean): void {
    const kind = mustBeProxied ? 'no_header' : kindOf(bytes)
    if (kind === undefined) return
    this.#throttles[kind].run((heldBack) =>
      this.#logger.warn({ remoteAddress, firstBytes: firstOf(bytes), heldBack }, MESSAGES[kind]),
    )
  }
}

function kindOf(bytes: Buffer): Exclude<Kind, 'no_header'> | undefined {
  if (bytes.length >= PROXY_MIN_BYTES && readProxyHeader(bytes).state !== 'absent') return 'proxy'
  const text = firstOf(bytes)
  if (text.startsWith(TLS_HANDSHAKE)) return 'tls'
  return text.startsWith(HTTP2) ? 'http2' : undefined
}

function firstOf(bytes: Buffer): string {
  return bytes.toString('latin1', 0, 32)
}
