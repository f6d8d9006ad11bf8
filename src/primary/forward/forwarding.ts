/**
 * Forwarding between hosts: the forwarder for sessions of other hosts, and the listener for own sessions
 * whose connections arrived elsewhere. A connection that came from another host is never forwarded again.
 */
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { hostTagOf } from '../../core/session-id.ts'
import { type ForwardedConnection, Forwarder, type HostDirectory } from './forwarder.ts'
import { type ConnectionOrigin, ForwardListener } from './listener.ts'
import { forwardMetrics } from './metrics.ts'

export interface ForwardLimits {
  /** Limit of connections forwarded to other hosts; each takes two file descriptors. */
  forwards: number
  /** Limit of connections that are being opened to one host. */
  dialsPerHost: number
  dialTimeoutMs: number
  /** Limit of incoming connections that have not proven themselves yet, and the time limit for each. */
  preambles: number
  preambleTimeoutMs: number
  /** An idle connection between hosts is closed after this time. Longer than a heartbeat and its answer. */
  idleMs: number
}

export const forwardLimits: ForwardLimits = {
  forwards: 20_000,
  dialsPerHost: 2_000,
  dialTimeoutMs: 3_000,
  preambles: 1_000,
  preambleTimeoutMs: 5_000,
  idleMs: 60_000,
}

/** Beyond the time within which a living connection carries a byte. */
const IDLE_MARGIN_MS = 15_000

/** A connection is dead if it is idle for longer than a heartbeat and its answer may take. */
export const idleLimitMs = (heartbeatMs: number): number => heartbeatMs + IDLE_MARGIN_MS

export interface ForwardingOptions {
  /** Tag of this host. */
  self: string
  directory: HostDirectory
  /**
   * Secrets of the cluster: this host uses the first and accepts each. Without a secret nothing is forwarded
   * or accepted.
   */
  secrets: () => readonly string[]
  limits: ForwardLimits
}

interface Surroundings {
  logger: Logger
  registry: Registry
  now: () => number
  /** A connection from another host. Only the preamble has been read. */
  onConnection(socket: Socket, origin: ConnectionOrigin): void
}

export class Forwarding {
  readonly #self: string
  readonly #forwarder: Forwarder
  readonly #listener: ForwardListener

  constructor({ self, directory, secrets, limits }: ForwardingOptions, surroundings: Surroundings) {
    const metrics = forwardMetrics(surroundings.registry, {
      opening: () => this.#forwarder.opening,
      joined: () => this.#forwarder.joined,
      pendingPreambles: () => this.#listener.pending,
    })
    this.#self = self
    this.#forwarder = new Forwarder({ ...surroundings, ...limits, directory, secrets, metrics })
    this.#listener = new ForwardListener({ ...surroundings, ...limits, self, secrets, metrics })
  }

  /** The other host that owns the session; undefined if this host owns it. */
  otherHost(workerTag: string): string | undefined {
    const tag = hostTagOf(workerTag)
    return tag === this.#self ? undefined : tag
  }

  /** Connections may be idle for as long as this heartbeat allows, if that is longer than `idleMs`. */
  useHeartbeat(heartbeatMs: number): void {
    this.#forwarder.useIdleLimit(idleLimitMs(heartbeatMs))
  }

  forward(connection: ForwardedConnection, hostTag: string, onFailed: () => void): void {
    this.#forwarder.forward(connection, hostTag, onFailed)
  }

  listen(port: number, host: string): Promise<number> {
    return this.#listener.listen(port, host)
  }

  hostGone(hostTag: string): void {
    this.#forwarder.hostGone(hostTag)
  }

  move(spreadMs: number): void {
    this.#forwarder.move(spreadMs)
  }

  close(): void {
    this.#listener.close()
    this.#forwarder.close()
  }
}
