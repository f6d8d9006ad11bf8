/** What the primary last said about the cluster's state, and who wants to know. */
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

  /** Takes an event from the primary; passes a change on. */
  update(event: PrimaryEvent): void {
    if (event.type !== 'state') return
    const next: ClusterState =
      event.state === 'ok' ? { state: 'ok' } : { state: 'degraded', reason: event.reason ?? 'unknown' }
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return
    this.#state = next
    for (const listener of this.#listeners) this.#tell(listener)
  }

  #tell(listener: (state: ClusterState) => void): void {
    try {
      listener(this.#state)
    } catch (error) {
      this.#logger.error({ err: error }, "the application's listener for the cluster's state failed")
    }
  }
}
