/** Whether this host does all that it should: what is told to its workers, at each change and to each that begins. */
import type { PrimaryEvent } from '../../wire/requests.ts'

export class HostState {
  readonly #reasons = new Map<string, string>()
  readonly #publish: (event: PrimaryEvent) => void

  constructor(publish: (event: PrimaryEvent) => void) {
    this.#publish = publish
  }

  /** @param part names what fails, so that it alone can say that it works again (`null`) */
  set(part: string, reason: string | null): void {
    const before = this.reason
    if (reason === null) this.#reasons.delete(part)
    else this.#reasons.set(part, reason)
    if (this.reason !== before) this.#publish(this.#event())
  }

  /** Why the host is degraded; the first of several reasons. */
  get reason(): string | null {
    const [reason = null] = this.#reasons.values()
    return reason
  }

  /** For a worker that has just begun, and takes all to be well. */
  publishAgain(): void {
    if (this.reason !== null) this.#publish(this.#event())
  }

  #event(): PrimaryEvent {
    const { reason } = this
    return reason === null ? { type: 'state', state: 'ok' } : { type: 'state', state: 'degraded', reason }
  }
}
