/** Whether this host is degraded. Published to its workers at each change, and again when a worker starts. */
import type { PrimaryEvent } from '../../wire/requests.ts'

export class HostState {
  readonly #reasons = new Map<string, string>()
  readonly #publish: (event: PrimaryEvent) => void
  /** Why no worker is ready, if it is known. Not published: there is nobody to tell. */
  workers: string | null = null

  constructor(publish: (event: PrimaryEvent) => void) {
    this.#publish = publish
  }

  /** @param part name of the failing part; only the same part can clear its reason (`null`) */
  set(part: string, reason: string | null): void {
    const before = this.reason
    if (reason === null) this.#reasons.delete(part)
    else this.#reasons.set(part, reason)
    if (this.reason !== before) this.#publish(this.#event())
  }

  /** Why the host is degraded; the first if there are several reasons. */
  get reason(): string | null {
    const [reason = null] = this.#reasons.values()
    return reason
  }

  /** For a worker that has just started and assumes that the host is healthy. */
  publishAgain(): void {
    if (this.reason !== null) this.#publish(this.#event())
  }

  #event(): PrimaryEvent {
    const { reason } = this
    return reason === null ? { type: 'state', state: 'ok' } : { type: 'state', state: 'degraded', reason }
  }
}
