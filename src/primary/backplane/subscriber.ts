/**
 * The subscribing client of the sharded adapter. Passes subscriptions to `Subscriptions`, knows which ones
 * Redis has confirmed, and retries the others while they are wanted.
 */
import type { Subscriptions } from '../../redis/subscriptions.ts'

interface Channel {
  handler: (message: Buffer) => void
  confirmed: Promise<void>
  resolve: () => void
  state: 'asked' | 'confirmed' | 'failed'
}

export interface SubscriberOptions {
  subscriptions: Pick<Subscriptions, 'subscribe' | 'unsubscribe'>
  retryMs: number
  receive(channel: string, message: Buffer): void
  failed(error: unknown): void
}

export class BackplaneSubscriber {
  readonly #options: SubscriberOptions
  readonly #channels = new Map<string, Channel>()
  #retry: NodeJS.Timeout | undefined

  constructor(options: SubscriberOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#channels.size
  }

  has(channel: string): boolean {
    return this.#channels.has(channel)
  }

  /** `undefined` if the channel is confirmed or not wanted. */
  confirmed(name: string): Promise<void> | undefined {
    const channel = this.#channels.get(name)
    return channel === undefined || channel.state === 'confirmed' ? undefined : channel.confirmed
  }

  /**
   * The method name makes the adapter treat this as a client of the `redis` package. Its own handler is not
   * used.
   */
  sSubscribe(name: string): void {
    if (this.#channels.has(name)) return
    const handler = (message: Buffer) => this.#options.receive(name, message)
    let confirm = noop
    const confirmed = new Promise<void>((resolve) => {
      confirm = resolve
    })
    const channel: Channel = { handler, confirmed, resolve: confirm, state: 'asked' }
    this.#channels.set(name, channel)
    this.#subscribe(name, channel)
  }

  sUnsubscribe(name: string): void {
    const channel = this.#channels.get(name)
    if (channel === undefined) return
    this.#channels.delete(name)
    channel.resolve()
    if (channel.state !== 'failed') this.#options.subscriptions.unsubscribe(name, channel.handler)
  }

  close(): void {
    clearTimeout(this.#retry)
    for (const name of this.#channels.keys()) this.sUnsubscribe(name)
  }

  #subscribe(name: string, channel: Channel): void {
    channel.state = 'asked'
    this.#options.subscriptions.subscribe(name, channel.handler).then(
      () => {
        channel.state = 'confirmed'
        channel.resolve()
      },
      (error: unknown) => {
        channel.state = 'failed'
        if (this.#channels.get(name) !== channel) return
        this.#options.failed(error)
        this.#retryLater()
      },
    )
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      for (const [name, channel] of this.#channels)
        if (channel.state === 'failed') this.#subscribe(name, channel)
    }, this.#options.retryMs)
  }
}

function noop(): void {}
