/** The cluster's state as the primary last reported it, and the application's listeners for it. */
import type { Logger } from 'pino'
import type { ClusterState } from '../wire/app.ts'
import type { PrimaryEvent } from '../wire/requests.ts'

export class ClusterStateWatch {
  readonly #logger: Logger
  readonly #listeners: ((state: ClusterState) => void)[] = []
  #state: ClusterState = { state: 'ok' }

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get current(): ClusterState {
    return this.#state
  }

  listen(listener: (state: ClusterState) => void): void {
    this.#listeners.push(listener)
    listener(this.#state)
  }

  /** For every event from the primary. Calls the listeners when the state has changed. */
  update(event: PrimaryEvent): void {
    if (event.type !== 'state') return
    const next: ClusterState =
      event.state === 'ok' ? { state: 'ok' } : { state: 'degraded', reason: event.reason ?? 'unknown' }
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return
    this.#state = next
    for (const listener of this.#listeners) this.#notify(listener)
  }

  #notify(listener: (state: ClusterState) => void): void {
    try {
      listener(this.#state)
    } catch (error) {
      this.#logger.error({ err: error }, "the application's listener for the cluster state threw an error")
    }
  }
}
