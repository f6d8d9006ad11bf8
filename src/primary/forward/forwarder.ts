/**
 * Forwards a connection to the host that owns its session. If that fails before the owner has accepted, the
 * connection is untouched and is served on this host, where the session is unknown. Not used for sessions of
 * this host.
 */
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { DeadlineSet } from '../../core/deadline-set.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import { ACCEPT_BYTES, type ClientAddress, HELLO_BYTES } from '../../wire/forward.ts'
import type { ForwardMetrics } from './metrics.ts'
import { type DialFailure, OwnerDialer } from './owner-dialer.ts'
import { splice } from './splice.ts'

/** Addresses at which the other hosts accept forwarded connections. */
export interface HostDirectory {
  /** `address:port`, IPv6 in brackets; undefined if there is no such host. */
  addressOf(hostTag: string): string | undefined
}

export interface ForwardedConnection {
  /** Paused; everything of the client that was read has been unshifted. */
  readonly socket: Socket
  /** The client's address. Undefined: the socket's own. */
  readonly address: ClientAddress | undefined
}

export interface ForwarderOptions {
  directory: HostDirectory
  /** This host uses the first. Without a secret nothing is forwarded. */
  secrets: () => readonly string[]
  /** Limit of forwarded connections, including those that are being opened. */
  forwards: number
  /** Limit of connections that are being opened to one host. */
  dialsPerHost: number
  dialTimeoutMs: number
  idleMs: number
  metrics: ForwardMetrics
  logger: Logger
  now: () => number
}

type Failure = DialFailure | 'unknown_host' | 'no_secret' | 'crowded'

interface Dial {
  readonly tag: string
  readonly client: Socket
  fail(reason: DialFailure): void
}

interface SplicedPair {
  readonly tag: string
  readonly client: Socket
  readonly owner: Socket
}

const WARN_EVERY_MS = 60_000
const MOVE_EVERY_MS = 100
const MAX_PORT = 65_535
const ADDRESS = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/

export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #dials: DeadlineSet<Dial>
  readonly #dialsByHost = new Map<string, number>()
  readonly #joined = new Set<SplicedPair>()
  readonly #warningThrottle = new LogThrottle(WARN_EVERY_MS)
  #moving: NodeJS.Timeout | undefined
  #idleMs: number

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#idleMs = options.idleMs
    this.#dials = new DeadlineSet({
      limitMs: options.dialTimeoutMs,
      now: options.now,
      onOverdue: (dial) => dial.fail('timeout'),
    })
  }

  /** For connections from now on, if it is more than what the settings allow. */
  useIdleLimit(idleMs: number): void {
    this.#idleMs = Math.max(this.#options.idleMs, idleMs)
  }

  get opening(): number {
    return this.#dials.size
  }

  get joined(): number {
    return this.#joined.size
  }

  /** @param onFailed nothing was forwarded, and the connection is unchanged */
  forward({ socket: client, address }: ForwardedConnection, tag: string, onFailed: () => void): void {
    const [secret] = this.#options.secrets()
    const to = parseAddress(this.#options.directory.addressOf(tag))
    const dials = this.#dialsByHost.get(tag) ?? 0
    const fail = (reason: Failure, error?: Error) => {
      this.#options.metrics.failed.inc({ reason })
      if (reason !== 'unknown_host' && reason !== 'left') this.#warn(tag, reason, error)
      onFailed()
    }
    const from = address ?? addressOf(client)
    if (to === undefined) fail('unknown_host')
    else if (secret === undefined) fail('no_secret')
    else if (from === undefined) fail('left')
    else if (this.#isFull || dials >= this.#options.dialsPerHost) fail('crowded')
    else this.#dial({ client, from, to: { ...to, tag }, secret }, fail)
  }

  /** The host is gone: closes the connections to it. */
  hostGone(tag: string): void {
    for (const joined of this.#joined) if (joined.tag === tag) joined.owner.destroy()
  }

  /** Closes forwarded connections, spread over `spreadMs`. The clients reconnect through other hosts. */
  move(spreadMs: number): void {
    if (this.#moving !== undefined) return
    const atATime = Math.ceil((this.#joined.size * MOVE_EVERY_MS) / Math.max(spreadMs, MOVE_EVERY_MS))
    this.#moving = setInterval(() => {
      for (const { client } of [...this.#joined].slice(0, atATime)) client.destroySoon()
    }, MOVE_EVERY_MS)
  }

  close(): void {
    clearInterval(this.#moving)
    for (const dial of this.#dials.clear()) {
      dial.client.destroy()
      dial.fail('left')
    }
    for (const { client, owner } of this.#joined) {
      client.destroy()
      owner.destroy()
    }
  }

  get #isFull(): boolean {
    return this.#dials.size + this.#joined.size >= this.#options.forwards
  }

  #dial(
    request: {
      client: Socket
      from: ClientAddress
      to: { tag: string; host: string; port: number }
      secret: string
    },
    fail: (reason: Failure, error?: Error) => void,
  ): void {
    const { client, from, to, secret } = request
    const onClientClosed = () => forwardCall.fail('left')
    const over = () => {
      client.off('close', onClientClosed)
      this.#dials.delete(dial)
      this.#count(to.tag, -1)
    }
    const forwardCall = new OwnerDialer({
      to,
      client: from,
      secret,
      onAccepted: (owner) => {
        over()
        this.#join({ tag: to.tag, client, owner })
      },
      onFailed: (reason, error) => {
        over()
        fail(reason, error)
      },
    })
    const dial: Dial = { tag: to.tag, client, fail: (reason) => forwardCall.fail(reason) }
    client.once('close', onClientClosed)
    this.#dials.add(dial)
    this.#count(to.tag, 1)
  }

  #count(tag: string, change: 1 | -1): void {
    const dials = (this.#dialsByHost.get(tag) ?? 0) + change
    if (dials === 0) this.#dialsByHost.delete(tag)
    else this.#dialsByHost.set(tag, dials)
  }

  #join(joined: SplicedPair): void {
    const { client, owner } = joined
    const { metrics, logger } = this.#options
    metrics.sent.inc()
    this.#joined.add(joined)
    splice({
      client,
      owner,
      idleMs: this.#idleMs,
      onIdle: () => metrics.idle.inc(),
      onOwnerError: (error) => {
        metrics.socketErrors.inc({ side: 'owner' })
        logger.debug({ err: error, peerTag: joined.tag }, 'connection to another host failed')
      },
      onClosed: () => {
        this.#joined.delete(joined)
        metrics.bytes.inc({ from: 'client' }, client.bytesRead)
        metrics.bytes.inc({ from: 'owner' }, Math.max(0, owner.bytesRead - HELLO_BYTES - ACCEPT_BYTES))
      },
    })
  }

  #warn(tag: string, reason: Failure, error: Error | undefined): void {
    this.#warningThrottle.run((heldBack) =>
      this.#options.logger.warn(
        { peerTag: tag, address: this.#options.directory.addressOf(tag), reason, err: error, heldBack },
        'a connection could not be forwarded to the host of its session',
      ),
    )
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): ClientAddress | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  return { address: remoteAddress, port: remotePort }
}

function parseAddress(address: string | undefined): { host: string; port: number } | undefined {
  const [, ipv6, name, port] = ADDRESS.exec(address ?? '') ?? []
  const host = ipv6 ?? name
  if (host === undefined || Number(port) > MAX_PORT) return undefined
  return { host, port: Number(port) }
}
