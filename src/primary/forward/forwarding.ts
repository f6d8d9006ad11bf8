/**
 * What a host does for sessions of other hosts, and for its own sessions whose connections arrive at others: forwarder and
 * listener, put together. A connection that came from another host is never passed on again.
 */
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { hostTagOf } from '../../core/session-id.ts'
import { Forwarder, type HostDirectory } from './forwarder.ts'
import { type ConnectionOrigin, ForwardListener } from './listener.ts'
import { forwardMetrics } from './metrics.ts'

export interface ForwardLimits {
  /** Connections that may pass through this host to others at once: two file descriptors each. */
  forwards: number
  /** Calls of one other host at once. */
  dialsPerHost: number
  dialTimeoutMs: number
  /** Connections of other hosts that have not proven yet who they are, and how long each may take. */
  preambles: number
  preambleTimeoutMs: number
  /** A connection between hosts on which nothing moves is closed after so long: more than a heartbeat and its answer. */
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

export interface ForwardingOptions {
  /** This host's tag. */
  self: string
  directory: HostDirectory
  /** The cluster's: the first proves who this host is, each of them is taken. With none nothing is passed on or taken. */
  secrets: () => readonly string[]
  limits: ForwardLimits
}

interface Surroundings {
  logger: Logger
  registry: Registry
  now: () => number
  /** A connection from another host, of which nothing has been read but what proves where it comes from. */
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

  /** The host that a session's connection belongs to; undefined when it is this one. */
  otherHost(workerTag: string): string | undefined {
    const tag = hostTagOf(workerTag)
    return tag === this.#self ? undefined : tag
  }

  forward(client: Socket, hostTag: string, onFailed: () => void): void {
    this.#forwarder.forward(client, hostTag, onFailed)
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
