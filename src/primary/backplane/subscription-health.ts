/**
 * Whether this host hears the others, by its own messages: since when it does not, what it does about it, and when the others
 * count as gone. While it is deaf nobody's silence says anything.
 */
import type { Logger } from 'pino'
import { LoopbackProbe } from './loopback-probe.ts'
import type { BackplaneSettings } from './settings.ts'

const UNHEARD = 'what this host publishes does not come back'

export interface SubscriptionHealthOptions {
  settings: BackplaneSettings
  logger: Logger
  /** Why Redis takes nothing; `null`: it does. */
  away: () => string | null
  /** Makes the subscriptions anew. */
  renew: (reason: string) => void
  /** Whom this host takes to be there. */
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
  #reason: string | null = 'nothing has been heard yet'
  #unhealthySinceMs: number | undefined = performance.now()

  constructor(options: SubscriptionHealthOptions) {
    this.#options = options
    this.#probe = new LoopbackProbe(options.settings.deafMs, performance.now())
  }

  get hears(): boolean {
    return this.#probe.hears
  }

  /** Why this host does not hear the others; `null`: it does. */
  get reason(): string | null {
    return this.#reason
  }

  /** For so long that nobody should wait for other hosts. */
  get isolated(): boolean {
    const since = this.#unhealthySinceMs
    return since !== undefined && performance.now() - since >= this.#options.settings.isolatedMs
  }

  /** Resolves when own message `n`, or a later one, has come back. */
  echoOf(n: number): Promise<void> {
    return this.#probe.echoOf(n)
  }

  /** Own message `n` has come back. @returns whether this host hears again, or for the first time */
  echo(n: number): boolean {
    if (!this.#probe.echo(n, performance.now())) return false
    this.#options.logger.info('this host hears the others')
    this.#options.others.restart()
    this.#set(null)
    return true
  }

  /** Redis takes nothing, or does again. */
  noteConnection(): void {
    if (this.#options.away() === null && this.#reason === null) this.#unhealthySinceMs = undefined
    else this.#unhealthySinceMs ??= performance.now()
  }

  /** Before each beat. A process that has stood still holds what it has not heard against nobody. */
  forgivePause(): void {
    const nowMs = performance.now()
    if (nowMs - this.#tickAtMs > 2 * this.#options.settings.beatMs) {
      this.#options.others.restart()
      this.#probe.restart(nowMs)
    }
    this.#tickAtMs = nowMs
  }

  /** After each beat. */
  check(): void {
    const { away, logger, others, settings } = this.#options
    const nowMs = performance.now()
    if (this.#probe.check(nowMs)) {
      const reason = away() ?? UNHEARD
      logger.error({ reason }, 'this host does not hear the others')
      this.#set(reason)
    }
    if (this.#probe.hears) others.dropSilent(nowMs - settings.silentMs)
    else this.#checkDeaf(nowMs - this.#probe.silentSinceMs)
  }

  /** Nobody waits any more. */
  close(): void {
    this.#probe.close()
  }

  #checkDeaf(deafForMs: number): void {
    const { away, renew, others, settings } = this.#options
    if (away() === null && deafForMs > settings.deafMs) renew(UNHEARD)
    if (deafForMs > settings.lostMs) others.dropAll('out of reach')
  }

  #set(reason: string | null): void {
    this.#reason = reason
    this.noteConnection()
    this.#options.changed(reason)
  }
}
