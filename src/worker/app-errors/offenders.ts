/** Clients that cause errors again and again. Each has a token bucket; who empties it is held off for a while. */
import { Counter, type Registry } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'
import { TokenBucket } from '../../core/token-bucket.ts'

/** A client that fails at each connect comes back about once a second. */
const BURST = 10
const PER_SECOND = 0.2
const HOLD_OFF_MS = 30_000
/** Past this the client that erred longest ago is forgotten. */
const MAX_CLIENTS = 10_000

interface Offender {
  bucket: TokenBucket
  heldUntilMs: number
}

export class Offenders {
  readonly holdOffMs = HOLD_OFF_MS
  readonly #now: () => number
  readonly #heldOff: Counter
  /** In the order of their last errors. */
  readonly #clients = new Map<string, Offender>()

  constructor({ registry, now }: { registry: Registry; now: () => number }) {
    this.#now = now
    this.#heldOff = new Counter({
      name: 'rookery_app_offenders_held_off_total',
      help: 'Times that a client was held off because it caused errors in the application again and again',
      registers: [registry],
    })
    registerGauge(registry, {
      name: 'rookery_app_offenders',
      help: 'Clients whose errors in the application are remembered',
      read: () => this.#clients.size,
    })
  }

  /** The client has caused an error. @returns whether it is held off from now on */
  note(client: string): boolean {
    const now = this.#now()
    const offender = this.#clients.get(client) ?? {
      bucket: new TokenBucket({ perSecond: PER_SECOND, burst: BURST, now }),
      heldUntilMs: 0,
    }
    this.#clients.delete(client)
    this.#clients.set(client, offender)
    const [oldest] = this.#clients.keys()
    if (this.#clients.size > MAX_CLIENTS && oldest !== undefined) this.#clients.delete(oldest)
    if (offender.heldUntilMs > now || offender.bucket.take(now)) return false
    offender.heldUntilMs = now + HOLD_OFF_MS
    this.#heldOff.inc()
    return true
  }

  /** @param client is asked for only if there is any offender; @returns 0 when it is not held off */
  heldOffMs(client: () => string): number {
    if (this.#clients.size === 0) return 0
    const { heldUntilMs } = this.#clients.get(client()) ?? { heldUntilMs: 0 }
    return Math.max(0, Math.ceil(heldUntilMs - this.#now()))
  }
}
