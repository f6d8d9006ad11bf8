/**
 * What this worker is subscribed to: counts the subscriptions of each topic, and knows which of them the primary has
 * confirmed. It decides when a frame is due; sending it is the link's.
 */
import { RookeryError } from '../../wire/errors.ts'

export interface GroupListener {
  joined(worker: string): void
  left(worker: string): void
}

interface Topic {
  holds: number
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
  /** Until then what is told about members belongs to an earlier time in the group. */
  entered: boolean
}

export interface TopicFrames {
  subscribe(ref: number, topic: string, group: boolean): void
  unsubscribe(topic: string): void
}

export class LinkTopics {
  readonly #topics = new Map<string, Topic>()
  readonly #groups = new Map<string, Group>()
  readonly #unconfirmed = new Map<number, Topic>()
  readonly #frames: TopicFrames
  readonly #timeoutMs: number
  #lastRef = 0
  #lost: RookeryError | undefined

  /** @param timeoutMs who subscribes waits no longer for the primary's answer */
  constructor(frames: TopicFrames, timeoutMs: number) {
    this.#frames = frames
    this.#timeoutMs = timeoutMs
  }

  get size(): number {
    return this.#topics.size
  }

  /**
   * Resolves when the primary has confirmed. Rejects with `unavailable` when it refuses, does not answer in time, or the
   * link is lost; whoever is told so unsubscribes all the same.
   */
  subscribe(name: string): Promise<void> {
    return this.#hold(name, undefined)
  }

  /** As `subscribe`, for a topic whose subscribers are told of each other. */
  enterGroup(name: string, listener: GroupListener): Promise<void> {
    return this.#hold(name, { listener, members: new Set(), entered: false })
  }

  unsubscribe(name: string): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    topic.holds -= 1
    if (topic.holds > 0) return
    this.#topics.delete(name)
    this.#groups.delete(name)
    topic.group = undefined
    this.#frames.unsubscribe(name)
  }

  confirmed(ref: number, refused: boolean, members: readonly string[]): void {
    const topic = this.#unconfirmed.get(ref)
    if (topic === undefined) return
    this.#unconfirmed.delete(ref)
    if (topic.group !== undefined) enter(topic.group, members)
    topic.settle(refused ? new RookeryError('unavailable', 'too many subscriptions') : undefined)
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

  /** The link is lost: what has not been confirmed never will be, and neither will what is asked for later. */
  failAll(reason: string): void {
    this.#lost = new RookeryError('unavailable', reason)
    for (const topic of this.#unconfirmed.values()) topic.settle(this.#lost)
    this.#unconfirmed.clear()
    this.#topics.clear()
    this.#groups.clear()
  }

  #hold(name: string, group: Group | undefined): Promise<void> {
    if (this.#lost !== undefined) return failed(this.#lost)
    const held = this.#topics.get(name)
    if (held !== undefined) {
      held.holds += 1
      return this.#inTime(held)
    }
    const topic = this.#open(group)
    this.#topics.set(name, topic)
    if (group !== undefined) this.#groups.set(name, group)
    this.#frames.subscribe(topic.ref, name, group !== undefined)
    return this.#inTime(topic)
  }

  #inTime(topic: Topic): Promise<void> {
    if (topic.answered) return topic.confirmed
    const { promise, settle } = settled()
    const timer = setTimeout(() => settle(unconfirmed(this.#timeoutMs)), this.#timeoutMs)
    const answered = (error?: RookeryError) => {
      clearTimeout(timer)
      settle(error)
    }
    topic.confirmed.then(() => answered(), answered)
    return promise
  }

  #open(group: Group | undefined): Topic {
    this.#lastRef = (this.#lastRef + 1) >>> 0
    const { promise, settle } = settled()
    const topic: Topic = {
      holds: 1,
      ref: this.#lastRef,
      confirmed: promise,
      settle: (error) => {
        topic.answered = true
        settle(error)
      },
      answered: false,
      group,
    }
    this.#unconfirmed.set(topic.ref, topic)
    return topic
  }
}

/** Nobody has to await the promise (`socket.join` need not be awaited): its failure alone ends no process. */
function settled(): { promise: Promise<void>; settle: (error?: RookeryError) => void } {
  let settle: (error?: RookeryError) => void = doNothing
  const promise = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error))
  })
  promise.catch(doNothing)
  return { promise, settle }
}

/** Made when it is needed: an error's stack costs more than all the rest of a subscription. */
function unconfirmed(timeoutMs: number): RookeryError {
  return new RookeryError('unavailable', `a subscription was not confirmed in ${timeoutMs} ms`)
}

function failed(error: RookeryError): Promise<void> {
  const { promise, settle } = settled()
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
