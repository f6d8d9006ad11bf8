/**
 * Who gets what of what workers say to each other: subscriptions, groups, publications. Bodies are never looked into;
 * the same bytes go to every receiver.
 */

import type { Urgency } from '../core/outbox.ts'
import type { Publish, WorkerFrame } from '../wire/frames.ts'
import { memberFrame, messageFrame, peerGoneFrame, receiptFrame, subscribedFrame } from '../wire/frames.ts'
import { InterestTable } from './interest.ts'
import { RelayGroups } from './relay-groups.ts'
import type { Announcement } from './relay-link.ts'

/** Reaches workers by name. */
export interface RoutingOutlet {
  /** @returns whether it is on its way */
  offer(worker: string, frame: Buffer, urgency: Urgency): boolean
  announce(worker: string, announcement: Announcement): void
  /** The worker does not want the topic any more. */
  withdrawn(worker: string, topic: string): void
}

export interface RoutingCounts {
  published(): void
  unroutable(): void
}

export class RelayRouting {
  readonly #interest: InterestTable
  readonly #groups = new RelayGroups()
  readonly #outlet: RoutingOutlet
  readonly #counts: RoutingCounts

  constructor(maxTopicsPerWorker: number, outlet: RoutingOutlet, counts: RoutingCounts) {
    this.#interest = new InterestTable(maxTopicsPerWorker)
    this.#outlet = outlet
    this.#counts = counts
  }

  get topics(): number {
    return this.#interest.topics
  }

  subscribe(worker: string, { ref, topic, group }: WorkerFrame & { kind: 'subscribe' }): void {
    const added = this.#interest.add(worker, topic)
    const members = added && group ? this.#enter(worker, topic) : []
    this.#outlet.offer(worker, subscribedFrame(ref, !added, members), 'control')
  }

  unsubscribe(worker: string, topic: string): void {
    if (!this.#interest.remove(worker, topic)) return
    this.#outlet.withdrawn(worker, topic)
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
        if (!this.#outlet.offer(worker, frame, volatile ? 'volatile' : 'publication')) continue
        reached.push(worker)
        for (const topic of grants) this.#interest.add(worker, topic)
      }
    }
    if (ref !== 0) this.#outlet.offer(from, receiptFrame(ref, reached), 'control')
  }

  send(from: string, to: string, body: Buffer): void {
    if (!this.#outlet.offer(to, messageFrame(from, [], body), 'control')) this.#counts.unroutable()
  }

  /** To every worker with an interest. */
  announce(topic: string, make: () => Omit<Announcement, 'topic'>): void {
    let made: Announcement | undefined
    for (const worker of this.#interest.subscribers(topic)) {
      made ??= { topic, ...make() }
      this.#outlet.announce(worker, made)
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
    for (const worker of workers) this.#outlet.offer(worker, frame, 'control')
  }
}
