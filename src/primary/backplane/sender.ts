/**
 * Numbers, seals and publishes messages without waiting. A dropped message leaves a gap in the numbers, so
 * that other hosts know that they may have missed something.
 */
import type { Logger } from 'pino'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { SigningKeys } from '../../redis/signing.ts'
import type { HostControlMessage, HostMessage } from '../../wire/host-messages.ts'
import type { BackplaneChannels } from './channels.ts'
import { seal } from './envelope.ts'
import type { BackplaneMetrics } from './metrics.ts'

/** Shortest time between log lines about dropped messages. */
const LOG_MS = 5_000

/** Topics, all hosts, or one host by its tag. */
export type Target = readonly string[] | 'all' | { host: string }

export interface SenderOptions {
  self: string
  channels: BackplaneChannels
  keys: SigningKeys | undefined
  metrics: BackplaneMetrics
  logger: Logger
}

export class BackplaneSender {
  readonly #options: SenderOptions
  readonly #throttle = new LogThrottle(LOG_MS)
  #n = 0
  #base = 0
  #away: string | null = null

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Number of the last message. */
  get n(): number {
    return this.#n
  }

  /** Why Redis can't be used; `null` if it can. */
  get away(): string | null {
    return this.#away
  }

  set away(reason: string | null) {
    this.#away = reason
  }

  /** @returns false if the message was dropped */
  send(target: Target, message: HostMessage | HostControlMessage): boolean {
    const { self, channels, keys, metrics } = this.#options
    const rooms = roomsOf(target)
    this.#n += 1
    if (rooms.length !== 1) this.#base += 1
    if (this.#away !== null) return this.drop()
    const head = { host: self, n: this.#n, base: this.#base, to: nameOf(target) }
    try {
      channels.publish(rooms, seal(head, message, keys))
      metrics.sent.inc()
      return true
    } catch (error) {
      return this.drop(error)
    }
  }

  /** A message may not have been sent. The missing number tells the others. */
  drop(error?: unknown): false {
    this.#base += 1
    this.#options.metrics.dropped.inc()
    if (error !== undefined)
      this.#throttle.run((heldBack) =>
        this.#options.logger.warn(
          { err: error, heldBack },
          'a message to other hosts may not have been sent',
        ),
      )
    return false
  }
}

/** Rooms of the adapter: a single room has its own channel; none or several use the channel of all hosts. */
function roomsOf(target: Target): readonly string[] {
  if (target === 'all') return []
  return isHost(target) ? [target.host] : target
}

function nameOf(target: Target): string {
  if (isHost(target)) return target.host
  return target !== 'all' && target.length === 1 ? 'topic' : 'all'
}

function isHost(target: Target): target is { host: string } {
  return typeof target === 'object' && 'host' in target
}
