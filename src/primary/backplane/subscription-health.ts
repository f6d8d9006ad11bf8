/**
 * Health of the subscription, proven by this host's own messages. Decides when the host is deaf (does not
 * receive), when it subscribes again, and when the other hosts count as gone. While it is deaf, the silence
 * of another host means nothing.
 */
import type { Logger } from 'pino'
import { LoopbackProbe } from './loopback-probe.ts'
import type { BackplaneSettings } from './settings.ts'

const NO_ECHO = 'messages published by this host do not come back'

export interface SubscriptionHealthOptions {
  settings: BackplaneSettings
  logger: Logger
  /** Why Redis can't be used; `null` if it can. */
  away: () => string | null
  /** Subscribes again on a new connection. */
  renew: (reason: string) => void
  /** Membership of the other hosts. */
  others: {
    restart(): void
    dropSilent(sinceMs: number): void
    dropAll(why: string): void
  }
  changed: (reason: string | null) => void
}

export class SubscriptionHealth {
  readonly #options: SubscriptionHealthOptions
  readonly #probe: LoopbackProbe
  #tickAtMs = performance.now()
  #reason: string | null = 'nothing has been received yet'
  #unhealthySinceMs: number | undefined = performance.now()

  constructor(options: SubscriptionHealthOptions) {
    this.#options = options
    this.#probe = new LoopbackProbe(options.settings.echoTimeoutMs, performance.now())
  }

  get isReceiving(): boolean {
    return this.#probe.isReceiving
  }

  /** Why this host does not receive from the others; `null` if it does. */
  get reason(): string | null {
    return this.#reason
  }

  /** Unhealthy for so long that callers should not wait for other hosts. */
  get isolated(): boolean {
    const since = this.#unhealthySinceMs
    return since !== undefined && performance.now() - since >= this.#options.settings.isolatedMs
  }

  /** Resolves when own message `n` or a later one has come back. */
  echoOf(n: number): Promise<void> {
    return this.#probe.echoOf(n)
  }

  /** Own message `n` has come back. @returns true if this host starts to receive, or receives again */
  echo(n: number): boolean {
    if (!this.#probe.echo(n, performance.now())) return false
    this.#options.logger.info('this host receives messages of other hosts')
    this.#options.others.restart()
    this.#set(null)
    return true
  }

  /** The connection to Redis was lost or restored. */
  noteConnection(): void {
    if (this.#options.away() === null && this.#reason === null) this.#unhealthySinceMs = undefined
    else this.#unhealthySinceMs ??= performance.now()
  }

  /** Called before each heartbeat. After this process was paused, silence of the others is not counted. */
  forgivePause(): void {
    const nowMs = performance.now()
    if (nowMs - this.#tickAtMs > 2 * this.#options.settings.beatMs) {
      this.#options.others.restart()
      this.#probe.restart(nowMs)
    }
    this.#tickAtMs = nowMs
  }

  /** Called after each heartbeat. */
  check(): void {
    const { away, logger, others, settings } = this.#options
    const nowMs = performance.now()
    if (this.#probe.check(nowMs)) {
      const reason = away() ?? NO_ECHO
      logger.error({ reason }, 'this host does not receive messages of other hosts')
      this.#set(reason)
    }
    if (this.#probe.isReceiving) others.dropSilent(nowMs - settings.silentMs)
    else this.#checkMissingEcho(nowMs - this.#probe.echoedAtMs)
  }

  /** Resolves everything that still waits. */
  close(): void {
    this.#probe.close()
  }

  #checkMissingEcho(withoutEchoMs: number): void {
    const { away, renew, others, settings } = this.#options
    if (away() === null && withoutEchoMs > settings.echoTimeoutMs) renew(NO_ECHO)
    if (withoutEchoMs > settings.lostMs) others.dropAll('out of reach')
  }

  #set(reason: string | null): void {
    this.#reason = reason
    this.noteConnection()
    this.#options.changed(reason)
  }
}
