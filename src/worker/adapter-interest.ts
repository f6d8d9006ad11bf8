/** Which topics one namespace of this worker needs: those of the rooms that have members here, and no others. */
import { everyoneTopic, memberTopic } from '../wire/topics.ts'
import type { RoomKey } from './adapter-bodies.ts'
import type { Link } from './link.ts'

/** A broadcast to more rooms than this goes to all workers with any member; they look for the rooms themselves. */
const MAX_ROOMS_NAMED = 256

export class AdapterInterest {
  readonly #link: Pick<Link, 'subscribe' | 'unsubscribe'>
  readonly #nsp: string
  readonly #topics = new Set<string>()
  readonly #unconfirmed = new Map<string, Promise<void>>()
  #closed = false

  constructor(link: Pick<Link, 'subscribe' | 'unsubscribe'>, nsp: string) {
    this.#link = link
    this.#nsp = nsp
  }

  get size(): number {
    return this.#topics.size
  }

  /** The topics that reach everybody with a member of any of the rooms; no rooms: everybody with any member. */
  topicsOf(rooms: Iterable<RoomKey>): string[] {
    const topics: string[] = []
    for (const room of rooms) topics.push(this.#topicOf(room))
    return topics.length === 0 || topics.length > MAX_ROOMS_NAMED ? [everyoneTopic(this.#nsp)] : topics
  }

  memberTopics(rooms: Iterable<RoomKey>): string[] {
    return [...rooms].map((room) => this.#topicOf(room))
  }

  addEveryone(): void {
    this.#add(everyoneTopic(this.#nsp))
  }

  removeEveryone(): void {
    this.#remove(everyoneTopic(this.#nsp))
  }

  add(room: RoomKey): void {
    this.#add(this.#topicOf(room))
  }

  remove(room: RoomKey): void {
    this.#remove(this.#topicOf(room))
  }

  /**
   * Resolves when the primary has confirmed these rooms, and that of broadcasts to everybody; rejects when it refuses one.
   * Need not be awaited.
   */
  async confirmed(rooms: Iterable<RoomKey>): Promise<void> {
    if (this.#unconfirmed.size === 0) return
    await this.#unconfirmed.get(everyoneTopic(this.#nsp))
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

  #topicOf(room: RoomKey): string {
    return memberTopic(this.#nsp, typeof room === 'number' ? `\0${room}` : room)
  }
}
