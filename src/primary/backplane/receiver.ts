/** Opens, checks and dispatches messages from Redis. Refused messages are counted and logged. */
import type { Logger } from 'pino'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { SigningKeys } from '../../redis/signing.ts'
import type { HostMessage } from '../../wire/host-messages.ts'
import type { Opened } from './envelope.ts'
import { open } from './envelope.ts'
import type { ClusterMembership } from './membership.ts'
import type { BackplaneMetrics } from './metrics.ts'

/** Shortest time between log lines about the same problem. */
const LOG_MS = 5_000

export interface ReceiverOptions {
  /** This host's tag. */
  self: string
  keys: SigningKeys | undefined
  membership: ClusterMembership
  /** Number of this host's last message. */
  lastSent: () => number
  metrics: BackplaneMetrics
  logger: Logger
  echoed: (n: number) => void
  gap: (host: string) => void
  message: (message: HostMessage, host: string) => void
}

/** The most likely cause, if an operator can fix it. */
function hintOf(reason: string): { hint?: string } {
  if (reason !== 'forged') return {}
  return { hint: 'does every host of this cluster have the same CLUSTER_SECRET?' }
}

export class BackplaneReceiver {
  readonly #options: ReceiverOptions
  readonly #refusalThrottle = new LogThrottle(LOG_MS)

  constructor(options: ReceiverOptions) {
    this.#options = options
  }

  /** Handles a message that looks like one of this host's own. */
  echo(bytes: Buffer): void {
    const { keys, lastSent, echoed } = this.#options
    const opened = open(bytes, keys)
    if (typeof opened === 'string') return this.refuse(opened)
    // A higher number was never sent: forged.
    if (opened.n <= lastSent()) echoed(opened.n)
    return undefined
  }

  receive(bytes: Buffer): void {
    const { keys, self } = this.#options
    const opened = open(bytes, keys)
    if (typeof opened === 'string') return this.refuse(opened)
    const { host, to } = opened
    if (host === self) return this.refuse('self')
    if (to !== 'all' && to !== 'topic' && to !== self) return this.refuse('misdirected')
    return this.#take(opened)
  }

  refuse(reason: string, error?: unknown): void {
    const { metrics, logger } = this.#options
    metrics.refused.inc({ reason })
    this.#refusalThrottle.run((heldBack) =>
      logger.warn({ reason, err: error, heldBack, ...hintOf(reason) }, 'a message from Redis was refused'),
    )
  }

  #take(opened: Opened): void {
    const { membership, metrics, gap, message } = this.#options
    const { host, content } = opened
    const verdict = membership.receive(opened)
    if (verdict === 'replayed') return this.refuse('replayed')
    if (verdict === 'unknown') return membership.handleUnknown(opened)
    if (verdict === 'gap') gap(host)
    metrics.received.inc()
    if (content.kind === 'control') return membership.handle(host, content.control)
    return message(content.message, host)
  }
}
