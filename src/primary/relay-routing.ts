/**
 * Who gets what of what workers say to each other: subscriptions, groups, publications. Bodies are never looked into;
 * the same bytes go to every receiver.
 */

import type { Urgency } from '../core/outbox.ts'
import type { Publish, WorkerFrame } from '../wire/frames.ts'
import { memberFrame, messageFrame, peerGoneFrame, receiptFrame, subscribedFrame } from '../wire/frames.ts'
import { InterestTable } from './interest.ts'
import { RelayGroups } from './relay-groups.ts'

/** Sends to a worker by name. @returns whether it is on its way */
export type Offer = (worker: string, frame: Buffer, urgency: Urgency) => boolean

export interface RoutingCounts {
  published(): void
  unroutable(): void
}

export class RelayRouting {
  readonly #interest: InterestTable
  readonly #groups = new RelayGroups()
  readonly #offer: Offer
  readonly #counts: RoutingCounts

  constructor(maxTopicsPerWorker: number, offer: Offer, counts: RoutingCounts) {
    this.#interest = new InterestTable(maxTopicsPerWorker)
    this.#offer = offer
    this.#counts = counts
  }

  get topics(): number {
    return this.#interest.topics
  }

  subscribe(worker: string, { ref, topic, group }: WorkerFrame & { kind: 'subscribe' }): void {
    const added = this.#interest.add(worker, topic)
    const members = added && group ? this.#enter(worker, topic) : []
    this.#offer(worker, subscribedFrame(ref, !added, members), 'control')
  }

  unsubscribe(worker: string, topic: string): void {
    if (!this.#interest.remove(worker, topic)) return
    const others = this.#groups.leave(worker, topic)
    if (others !== null) this.#tell(others, memberFrame(false, topic, worker))
  }

  publish(from: string, publication: Publish): void {
    this.#counts.published()
    const { ref, topics, grants, body, volatile } = publication
    const receivers = this.#interest.receivers(topics, from)
    const reached: string[] = []
    if (receivers.size > 0) {
      const frame = messageFrame(from, grants, body)
      for (const worker of receivers) {
        if (!this.#offer(worker, frame, volatile ? 'volatile' : 'publication')) continue
        reached.push(worker)
        for (const topic of grants) this.#interest.add(worker, topic)
      }
    }
    if (ref !== 0) this.#offer(from, receiptFrame(ref, reached), 'control')
  }

  send(from: string, to: string, body: Buffer): void {
    if (!this.#offer(to, messageFrame(from, [], body), 'control')) this.#counts.unroutable()
  }

  /** To every worker with an interest. */
  announce(topic: string, frame: () => Buffer): void {
    let made: Buffer | undefined
    for (const worker of this.#interest.subscribers(topic)) {
      made ??= frame()
      this.#offer(worker, made, 'publication')
    }
  }

  /** Nothing is passed to the worker any more; the others have not been told yet. */
  silence(worker: string): void {
    this.#interest.forget(worker)
  }

  /** The worker is gone: `others` are told. */
  forget(worker: string, others: Iterable<string>): void {
    this.#interest.forget(worker)
    this.#groups.forget(worker)
    this.#tell(others, peerGoneFrame(worker))
  }

  #enter(worker: string, topic: string): string[] {
    const others = this.#groups.enter(worker, topic)
    this.#tell(others, memberFrame(true, topic, worker))
    return others
  }

  #tell(workers: Iterable<string>, frame: Buffer): void {
    for (const worker of workers) this.#offer(worker, frame, 'control')
  }
}
