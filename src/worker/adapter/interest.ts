/**
 * The topics that one namespace of this worker subscribes to: those of the rooms that have members here, and
 * no others. A socket's own room needs no topic: its name holds the worker's tag, and each worker has one
 * topic for all its sockets.
 */
import type { RoomKey } from '../../wire/topics.ts'
import {
  broadcastTopics,
  everyoneTopic,
  isRoomKey,
  memberTopic,
  ownerOf,
  ownerTopic,
} from '../../wire/topics.ts'
import type { Link } from '../link/index.ts'
import { roomsElsewhere } from './broadcast-options.ts'

export class AdapterInterest {
  readonly #link: Pick<Link, 'subscribe' | 'unsubscribe'>
  readonly #nsp: string
  readonly #topics = new Set<string>()
  readonly #unconfirmed = new Map<string, Promise<void>>()
  /** This worker's tag in the ids of its sockets. */
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

  /**
   * The topics that reach every worker with a member of any of the rooms; no rooms: every worker with any
   * socket.
   */
  topicsOf(rooms: Iterable<unknown>): string[] {
    return broadcastTopics(this.#nsp, roomsElsewhere(rooms), this.#tag)
  }

  memberTopics(rooms: Iterable<unknown>): string[] {
    return roomsElsewhere(rooms).map((room) => this.#topicOf(room))
  }

  /** Call for the first socket. */
  addEveryone(): void {
    for (const topic of this.#namespaceTopics()) this.#add(topic)
  }

  /** Call when the last socket has left. */
  removeEveryone(): void {
    for (const topic of this.#namespaceTopics()) this.#remove(topic)
  }

  add(room: unknown): void {
    if (isRoomKey(room) && !this.#isOwn(room)) this.#add(this.#topicOf(room))
  }

  remove(room: unknown): void {
    if (isRoomKey(room) && !this.#isOwn(room)) this.#remove(this.#topicOf(room))
  }

  /**
   * Resolves when the primary has confirmed the topics of these rooms and those of the whole namespace.
   * Rejects when it refuses one. Need not be awaited.
   */
  async confirmed(rooms: Iterable<unknown>): Promise<void> {
    if (this.#unconfirmed.size === 0) return
    for (const topic of this.#namespaceTopics()) await this.#unconfirmed.get(topic)
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
    const forget = () => {
      if (this.#unconfirmed.get(topic) === confirmed) this.#unconfirmed.delete(topic)
    }
    confirmed.then(forget, forget)
  }

  #remove(topic: string): void {
    if (!this.#topics.delete(topic)) return
    this.#unconfirmed.delete(topic)
    this.#link.unsubscribe(topic)
  }

  #namespaceTopics(): string[] {
    const everyone = everyoneTopic(this.#nsp)
    return this.#tag === undefined ? [everyone] : [everyone, ownerTopic(this.#nsp, this.#tag)]
  }

  /** The room of a socket of this worker: its messages arrive on the topic of the worker's tag. */
  #isOwn(room: RoomKey): boolean {
    return this.#tag !== undefined && ownerOf(room) === this.#tag
  }

  #topicOf(room: RoomKey): string {
    return memberTopic(this.#nsp, room)
  }
}
