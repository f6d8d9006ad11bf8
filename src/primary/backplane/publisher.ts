/**
 * Publishes without waiting, with a limit of bytes in flight. Reports each publication that may not have
 * arrived.
 */
export interface PublisherOptions {
  spublish(channel: string, payload: Buffer): Promise<unknown>
  maxBytesInFlight: number
  /** A publication was accepted and then failed. */
  lost(error: unknown): void
}

class PublisherBusy extends Error {}

export class BackplanePublisher {
  readonly #options: PublisherOptions
  #bytesInFlight = 0
  /** How many connections the last publication reached, as far as one Redis server knows. */
  lastReach: Promise<unknown> = Promise.resolve(0)

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  get bytesInFlight(): number {
    return this.#bytesInFlight
  }

  get keepsUp(): boolean {
    return this.#bytesInFlight < this.#options.maxBytesInFlight
  }

  spublish(channel: string, payload: Buffer): void {
    if (!this.keepsUp) throw new PublisherBusy('too much is on its way to Redis')
    const bytes = payload.length
    this.#bytesInFlight += bytes
    const published = this.#options.spublish(channel, payload)
    this.lastReach = published
    published.then(
      () => {
        this.#bytesInFlight -= bytes
      },
      (error: unknown) => {
        this.#bytesInFlight -= bytes
        this.#options.lost(error)
      },
    )
  }
}
