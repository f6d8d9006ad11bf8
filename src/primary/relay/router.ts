/**
 * Routes messages between workers: subscriptions, groups, publications. Bodies are never parsed; every
 * receiver gets the same bytes. Local workers first and at once, then the other hosts.
 */

import { FrameError } from '../../core/byte-frames.ts'
import type { FramePriority } from '../../core/outbox.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { Publish, WorkerFrame } from '../../wire/frames.ts'
import {
  memberFrame,
  messageAbandonedFrame,
  messageFrame,
  messagePartFrame,
  peerGoneFrame,
  receiptFrame,
  subscribedFrame,
} from '../../wire/frames.ts'
import { PRIMARY } from '../../wire/host-messages.ts'
import { GroupTable } from './group-table.ts'
import type { Delivered, HostRelay, LocalRouter } from './host-relay.ts'
import { InterestTable } from './interest.ts'
import { OpenPublications } from './open-publications.ts'
import type { Announcement } from './worker-link.ts'

/** Sends to local workers by name. */
export interface RouterWorkers {
  workers(): Iterable<string>
  /** @returns whether it is on its way */
  offer(worker: string, frame: Buffer, priority: FramePriority): boolean
  announce(worker: string, announcement: Announcement): void
  /** The worker has unsubscribed from the topic. */
  withdrawn(worker: string, topic: string): void
}

export interface RouterCounters {
  published(): void
  unroutable(): void
}

export interface RouterOptions {
  maxTopicsPerWorker: number
  maxMessageBytes: number
  partBytes: number
  workers: RouterWorkers
  counters: RouterCounters
  /** Creates the relay to other hosts. */
  hosts: (local: LocalRouter) => HostRelay
}

/** A message to adapters that no worker has published. */
export interface OutsidePublication extends Pick<Publish, 'topics' | 'grants' | 'body' | 'volatile'> {
  /** `host`: the other hosts have it already, or get it themselves. */
  reach: 'host' | 'cluster'
}

export class RelayRouter implements LocalRouter {
  readonly #interest: InterestTable
  readonly #groups = new GroupTable()
  readonly #open = new OpenPublications()
  readonly #maxMessageBytes: number
  readonly #partBytes: number
  readonly #workers: RouterWorkers
  readonly #counters: RouterCounters
  readonly #hosts: HostRelay

  constructor({ maxTopicsPerWorker, maxMessageBytes, partBytes, ...rest }: RouterOptions) {
    const { workers, counters, hosts } = rest
    this.#maxMessageBytes = maxMessageBytes
    this.#partBytes = partBytes
    this.#workers = workers
    this.#counters = counters
    this.#hosts = hosts(this)
    this.#interest = new InterestTable(maxTopicsPerWorker, this.#hosts)
  }

  get topics(): number {
    return this.#interest.topics
  }

  subscribe(worker: string, { ref, topic, group }: WorkerFrame & { kind: 'subscribe' }): void {
    if (!this.#interest.add(worker, topic)) {
      this.#workers.offer(worker, subscribedFrame(ref, true, []), 'control')
      return
    }
    if (group && this.#groups.enter(worker, topic)) {
      this.#sendControl(this.#ownOthers(worker, topic), memberFrame(true, topic, worker))
      this.#hosts.groupChanged(topic, worker, true)
    }
    const confirm = () => {
      // Computed now, because members may have joined or left during the wait.
      const members = group ? this.#groups.others(worker, topic) : []
      this.#workers.offer(worker, subscribedFrame(ref, false, members), 'control')
    }
    const confirmed = this.#hosts.confirmed(topic, group)
    if (confirmed === undefined) confirm()
    else void confirmed.then(confirm)
  }

  unsubscribe(worker: string, topic: string): void {
    if (!this.#interest.remove(worker, topic)) return
    this.#workers.withdrawn(worker, topic)
    if (!this.#groups.leave(worker, topic)) return
    this.#sendControl(this.#ownOthers(worker, topic), memberFrame(false, topic, worker))
    this.#hosts.groupChanged(topic, worker, false)
  }

  /** Throws a `FrameError` if the worker does not keep to the format. */
  publish(from: string, publication: Publish): void {
    if (this.#open.has(from)) throw new FrameError('a publication before the end of the last one')
    if (publication.body.length + publication.rest > this.#maxMessageBytes)
      throw new FrameError('a publication that is too long')
    this.#counters.published()
    this.#hosts.publish(from, publication, this.deliver(from, publication))
  }

  /** The next bytes of the worker's publication. Throws a `FrameError` if none is open. */
  part(from: string, body: Buffer): void {
    const delivered = this.deliverPart(from, body)
    if (delivered === undefined) throw new FrameError('a part of no publication')
    this.#hosts.part(from, body, delivered)
  }

  /**
   * From outside the cluster, within this call: in order with all else. Throws a `RookeryError` `too_large`.
   * @returns false if it was dropped on the way to other hosts, because Redis is away or too slow
   */
  publishFromOutside({ reach, ...publication }: OutsidePublication): boolean {
    const { body, grants } = publication
    if (body.length > this.#maxMessageBytes)
      throw new RookeryError('too_large', `${body.length} bytes, ${this.#maxMessageBytes} allowed`)
    const first = body.subarray(0, this.#partBytes)
    const begun = { ...publication, body: first, rest: body.length - first.length }
    const addressed = this.deliver(PRIMARY, begun)
    if (reach === 'host') this.#hosts.noteGrants(grants)
    let sent = reach === 'host' || this.#hosts.publish(PRIMARY, { ...begun, ref: 0 }, addressed)
    for (let at = first.length; at < body.length; at += this.#partBytes) {
      const part = body.subarray(at, at + this.#partBytes)
      const delivered = this.deliverPart(PRIMARY, part)
      if (reach === 'cluster' && delivered !== undefined) sent = this.#hosts.part(PRIMARY, part, delivered)
    }
    return sent
  }

  /** A worker that can't keep up is one of those that it is published to: a request waits for its answer. */
  deliver(from: string, { topics, grants, body, volatile, rest }: Omit<Publish, 'ref'>): string[] {
    this.abandon(from)
    const addressed = [...this.#interest.receivers(topics, from)]
    const receiving = new Set<string>()
    if (addressed.length > 0) {
      const frame = messageFrame(from, rest, grants, body)
      for (const worker of addressed) {
        if (!this.#workers.offer(worker, frame, volatile ? 'volatile' : 'publication')) continue
        receiving.add(worker)
        for (const topic of grants) this.#interest.add(worker, topic)
      }
    }
    this.#open.begin(from, { rest, addressed, receiving })
    return addressed
  }

  deliverPart(from: string, body: Buffer): Delivered | undefined {
    const open = this.#open.part(from, body.length)
    if (open === undefined) return undefined
    const { rest, addressed, receiving } = open
    if (receiving.size > 0) {
      const frame = messagePartFrame(from, body)
      for (const worker of receiving) {
        if (this.#workers.offer(worker, frame, 'part')) continue
        receiving.delete(worker)
        this.#sendControl([worker], messageAbandonedFrame(from))
      }
    }
    return { rest, addressed }
  }

  abandon(from: string): void {
    this.#sendControl(this.#open.abandon(from), messageAbandonedFrame(from))
  }

  receipt(worker: string, ref: number, reached: readonly string[]): void {
    this.#workers.offer(worker, receiptFrame(ref, reached), 'control')
  }

  send(from: string, to: string, body: Buffer): void {
    const sent = isRemote(to) ? this.#hosts.send(from, to, body) : this.deliverTo(to, from, body)
    if (!sent) this.#counters.unroutable()
  }

  deliverTo(worker: string, from: string, body: Buffer): boolean {
    return this.#workers.offer(worker, messageFrame(from, 0, [], body), 'control')
  }

  /** Sends to every subscribed worker. */
  announce(topic: string, make: () => Omit<Announcement, 'topic'>): void {
    let made: Announcement | undefined
    for (const worker of this.#interest.subscribers(topic)) {
      made ??= { topic, ...make() }
      this.#workers.announce(worker, made)
    }
  }

  /** A worker of another host has entered a group. */
  enter(worker: string, topic: string): void {
    if (this.#groups.enter(worker, topic))
      this.#sendControl(this.#ownOthers(worker, topic), memberFrame(true, topic, worker))
  }

  /** A worker of another host has left a group. */
  leave(worker: string, topic: string): void {
    if (this.#groups.leave(worker, topic))
      this.#sendControl(this.#ownOthers(worker, topic), memberFrame(false, topic, worker))
  }

  /** A worker of another host is gone. */
  peerGone(worker: string): void {
    this.#open.abandon(worker)
    this.#groups.forget(worker)
    this.#sendControl(this.#workers.workers(), peerGoneFrame(worker))
  }

  ownGroups(): { topic: string; workers: string[] }[] {
    const groups: { topic: string; workers: string[] }[] = []
    for (const topic of this.#groups.topics()) {
      const workers = [...this.#groups.members(topic)].filter((worker) => !isRemote(worker))
      if (workers.length > 0) groups.push({ topic, workers })
    }
    return groups
  }

  /** Passes nothing more to the worker. The others are told later, by `forget`. */
  muteWorker(worker: string): void {
    this.#interest.forget(worker)
  }

  /** A local worker is gone: tells the others. */
  forget(worker: string): void {
    this.#interest.forget(worker)
    this.#open.abandon(worker)
    this.#groups.forget(worker)
    this.#sendControl(this.#workers.workers(), peerGoneFrame(worker))
    this.#hosts.workerGone(worker)
  }

  close(): void {
    this.#hosts.close()
  }

  /** Local members of the group without this worker. */
  #ownOthers(worker: string, topic: string): string[] {
    return this.#groups.others(worker, topic).filter((other) => !isRemote(other))
  }

  #sendControl(workers: Iterable<string>, frame: Buffer): void {
    for (const worker of workers) this.#workers.offer(worker, frame, 'control')
  }
}

function isRemote(worker: string): boolean {
  return worker.includes(':')
}
