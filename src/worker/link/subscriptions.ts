/**
 * The topics that this worker is subscribed to: a count for each, and whether the primary has confirmed it.
 * Decides when a frame is due; the link sends it.
 */
import { RookeryError } from '../../wire/errors.ts'

export interface GroupListener {
  joined(worker: string): void
  left(worker: string): void
}

interface Subscription {
  /** Calls of `subscribe` without an `unsubscribe`. */
  count: number
  ref: number
  /** Settled when the primary answers, however late. */
  confirmed: Promise<void>
  settle: (error?: RookeryError) => void
  answered: boolean
  group: Group | undefined
}

interface Group {
  listener: GroupListener
  members: Set<string>
  /**
   * False until the subscription is confirmed. Until then, membership frames belong to an earlier
   * subscription.
   */
  entered: boolean
}

export interface SubscriptionFrames {
  subscribe(ref: number, topic: string, group: boolean): void
  unsubscribe(topic: string): void
}

export class LinkSubscriptions {
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #groups = new Map<string, Group>()
  readonly #unconfirmed = new Map<number, Subscription>()
  readonly #frames: SubscriptionFrames
  readonly #timeoutMs: number
  #lastRef = 0
  #lost: RookeryError | undefined

  /** @param timeoutMs how long a caller waits for the primary's confirmation */
  constructor(frames: SubscriptionFrames, timeoutMs: number) {
    this.#frames = frames
    this.#timeoutMs = timeoutMs
  }

  get size(): number {
    return this.#subscriptions.size
  }

  /**
   * Resolves when the primary has confirmed. Rejects with `unavailable` when it refuses, does not answer in
   * time, or the link is lost. Needs an `unsubscribe` even when it rejects.
   */
  subscribe(name: string): Promise<void> {
    return this.#subscribe(name, undefined)
  }

  /** As `subscribe`, for a topic whose subscribers know each other. */
  enterGroup(name: string, listener: GroupListener): Promise<void> {
    return this.#subscribe(name, { listener, members: new Set(), entered: false })
  }

  unsubscribe(name: string): void {
    const subscription = this.#subscriptions.get(name)
    if (subscription === undefined) return
    subscription.count -= 1
    if (subscription.count > 0) return
    this.#subscriptions.delete(name)
    this.#groups.delete(name)
    subscription.group = undefined
    this.#frames.unsubscribe(name)
  }

  confirmed(ref: number, refused: boolean, members: readonly string[]): void {
    const subscription = this.#unconfirmed.get(ref)
    if (subscription === undefined) return
    this.#unconfirmed.delete(ref)
    if (subscription.group !== undefined) enter(subscription.group, members)
    subscription.settle(refused ? new RookeryError('unavailable', 'too many subscriptions') : undefined)
  }

  member(name: string, worker: string, joined: boolean): void {
    const group = this.#groups.get(name)
    if (group?.entered !== true) return
    if (joined) join(group, worker)
    else leave(group, worker)
  }

  peerGone(worker: string): void {
    for (const group of this.#groups.values()) leave(group, worker)
  }

  /** The link is lost: rejects all open subscriptions and all later ones. */
  failAll(reason: string): void {
    this.#lost = new RookeryError('unavailable', reason)
    for (const subscription of this.#unconfirmed.values()) subscription.settle(this.#lost)
    this.#unconfirmed.clear()
    this.#subscriptions.clear()
    this.#groups.clear()
  }

  #subscribe(name: string, group: Group | undefined): Promise<void> {
    if (this.#lost !== undefined) return failed(this.#lost)
    const existing = this.#subscriptions.get(name)
    if (existing !== undefined) {
      existing.count += 1
      return this.#withDeadline(existing)
    }
    const subscription = this.#open(group)
    this.#subscriptions.set(name, subscription)
    if (group !== undefined) this.#groups.set(name, group)
    this.#frames.subscribe(subscription.ref, name, group !== undefined)
    return this.#withDeadline(subscription)
  }

  #withDeadline(subscription: Subscription): Promise<void> {
    if (subscription.answered) return subscription.confirmed
    const { promise, settle } = deferred()
    const timer = setTimeout(() => settle(unconfirmed(this.#timeoutMs)), this.#timeoutMs)
    const answered = (error?: RookeryError) => {
      clearTimeout(timer)
      settle(error)
    }
    subscription.confirmed.then(() => answered(), answered)
    return promise
  }

  #open(group: Group | undefined): Subscription {
    this.#lastRef = (this.#lastRef + 1) >>> 0
    const { promise, settle } = deferred()
    const subscription: Subscription = {
      count: 1,
      ref: this.#lastRef,
      confirmed: promise,
      settle: (error) => {
        subscription.answered = true
        settle(error)
      },
      answered: false,
      group,
    }
    this.#unconfirmed.set(subscription.ref, subscription)
    return subscription
  }
}

/**
 * The promise may stay unawaited (`socket.join` need not be awaited): its rejection must not end the process.
 */
function deferred(): { promise: Promise<void>; settle: (error?: RookeryError) => void } {
  let settle: (error?: RookeryError) => void = doNothing
  const promise = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error))
  })
  promise.catch(doNothing)
  return { promise, settle }
}

/** Created only when needed: an error's stack costs more than the rest of a subscription. */
function unconfirmed(timeoutMs: number): RookeryError {
  return new RookeryError('unavailable', `a subscription was not confirmed in ${timeoutMs} ms`)
}

function failed(error: RookeryError): Promise<void> {
  const { promise, settle } = deferred()
  settle(error)
  return promise
}

function doNothing(): void {}

function enter(group: Group, members: readonly string[]): void {
  group.entered = true
  for (const worker of members) join(group, worker)
}

function join(group: Group, worker: string): void {
  if (group.members.has(worker)) return
  group.members.add(worker)
  group.listener.joined(worker)
}

function leave(group: Group, worker: string): void {
  if (group.members.delete(worker)) group.listener.left(worker)
}
