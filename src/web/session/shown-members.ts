/**
 * The members of a room as the page shows them. Whoever is back soon has not left: at the restart of a worker its users
 * leave and return within a second.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { Author, ChatRoom, Members } from '../../client/index.ts'
import { SHOWN_AFTER_MS } from './shown-state.ts'

export class ShownMembers {
  readonly #room: Pick<ChatRoom, 'members'>
  readonly #changed: () => void
  readonly #shown = signal<Members>({ list: [], count: 0 })
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(room: Pick<ChatRoom, 'members'>, changed: () => void) {
    this.#room = room
    this.#changed = changed
    this.#show(room.members)
  }

  get value(): ReadonlySignal<Members> {
    return this.#shown
  }

  /** The room's members have changed. */
  update(): void {
    const { members } = this.#room
    const both = together(this.#shown.peek(), members)
    const isFewer = both.list.length > members.list.length || both.count > members.count
    if (!isFewer) {
      this.close()
      return this.#show(members)
    }
    this.#show(both)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#show(this.#room.members)
    }, SHOWN_AFTER_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #show(members: Members): void {
    this.#shown.value = members
    this.#changed()
  }
}

/** Everybody of both, with the names of the second. Pure. */
export function together(before: Members, now: Members): Members {
  const users = new Map<string, Author>()
  for (const user of [...before.list, ...now.list]) users.set(user.id, user)
  return { list: [...users.values()], count: Math.max(before.count, now.count) }
}
