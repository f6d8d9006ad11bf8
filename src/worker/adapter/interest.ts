/**
 * Which topics one namespace of this worker needs: those of the rooms that have members here, and no others. The room that
 * each socket has for itself needs none: its name says whose socket it is, and each worker has one topic for all of these.
 */
import { socketOwnerOf } from '../../core/session-id.ts'
import { everyoneTopic, memberTopic, ownerTopic } from '../../wire/topics.ts'
import type { Link } from '../link/link.ts'
import type { RoomKey } from './codec.ts'

/** A broadcast to more rooms than this goes to all workers with any member; they look for the rooms themselves. */
const MAX_ROOMS_NAMED = 256

export class AdapterInterest {
  readonly #link: Pick<Link, 'subscribe' | 'unsubscribe'>
  readonly #nsp: string
  readonly #topics = new Set<string>()
  readonly #unconfirmed = new Map<string, Promise<void>>()
  /** Of this worker, in the ids of its sockets. */
  readonly #tag: string | undefined
  #closed = false

  constructor(link: Pick<Link, 'subscribe' | 'unsubscribe'>, nsp: string, tag: string | undefined) {
    this.#link = link
    this.#nsp = nsp
    this.#tag = tag
  }

  get size(): number {
    return this.#topics.size
  }

  /** The topics that reach everybody with a member of any of the rooms; no rooms: everybody with any member. */
  topicsOf(rooms: Iterable<RoomKey>): string[] {
    const topics: string[] = []
    for (const room of rooms) {
      topics.push(this.#topicOf(room))
      const owner = ownerOf(room)
      // Its owner has no subscription of the room itself; others may have let sockets of theirs into it.
      if (owner !== null && owner !== this.#tag) topics.push(ownerTopic(this.#nsp, owner))
    }
    return topics.length === 0 || topics.length > MAX_ROOMS_NAMED ? [everyoneTopic(this.#nsp)] : topics
  }

  memberTopics(rooms: Iterable<RoomKey>): string[] {
    return [...rooms].map((room) => this.#topicOf(room))
  }

  /** The first socket has come. */
  addEveryone(): void {
    for (const topic of this.#standing()) this.#add(topic)
  }

  /** The last socket has left. */
  removeEveryone(): void {
    for (const topic of this.#standing()) this.#remove(topic)
  }

  add(room: RoomKey): void {
    if (!this.#isOwn(room)) this.#add(this.#topicOf(room))
  }

  remove(room: RoomKey): void {
    if (!this.#isOwn(room)) this.#remove(this.#topicOf(room))
  }

  /**
   * Resolves when the primary has confirmed these rooms, and what is for everybody or for a socket alone; rejects when it refuses one.
   * Need not be awaited.
   */
  async confirmed(rooms: Iterable<RoomKey>): Promise<void> {
    if (this.#unconfirmed.size === 0) return
    for (const topic of this.#standing()) await this.#unconfirmed.get(topic)
    for (const topic of this.memberTopics(rooms)) await this.#unconfirmed.get(topic)
  }

  close(): void {
    this.#closed = true
    for (const topic of this.#topics) this.#link.unsubscribe(topic)
    this.#topics.clear()
    this.#unconfirmed.clear()
  }

  #add(topic: string): void {
    if (this.#closed || this.#topics.has(topic)) return
    this.#topics.add(topic)
    const confirmed = this.#link.subscribe(topic)
    this.#unconfirmed.set(topic, confirmed)
    const settle = () => {
      if (this.#unconfirmed.get(topic) === confirmed) this.#unconfirmed.delete(topic)
    }
    confirmed.then(settle, settle)
  }

  #remove(topic: string): void {
    if (!this.#topics.delete(topic)) return
    this.#unconfirmed.delete(topic)
    this.#link.unsubscribe(topic)
  }

  #standing(): string[] {
    const everyone = everyoneTopic(this.#nsp)
    return this.#tag === undefined ? [everyone] : [everyone, ownerTopic(this.#nsp, this.#tag)]
  }

  /** Whatever is for the room reaches this worker by its tag. */
  #isOwn(room: RoomKey): boolean {
    return this.#tag !== undefined && ownerOf(room) === this.#tag
  }

  #topicOf(room: RoomKey): string {
    return memberTopic(this.#nsp, typeof room === 'number' ? `\0${room}` : room)
  }
}

function ownerOf(room: RoomKey): string | null {
  return typeof room === 'string' ? socketOwnerOf(room) : null
}
