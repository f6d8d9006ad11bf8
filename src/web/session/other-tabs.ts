/** Tells the same user's other tabs in this browser which rooms were joined and left here, and hears it from them. */

import { storagePrefix } from '../app/base.ts'

export interface RoomNews {
  readonly kind: 'joined' | 'left'
  readonly room: string
}

const CHANNEL = `${storagePrefix()}rookery:rooms`
const ROOM_MAX_CHARS = 600

export class OtherTabs {
  readonly #user: () => string
  readonly #channel: BroadcastChannel | undefined

  /** @param user the id of the user; empty until it is known */
  constructor(user: () => string, heard: (news: RoomNews) => void) {
    this.#user = user
    // Some browsers have none in private windows.
    if (typeof BroadcastChannel === 'undefined') return
    this.#channel = new BroadcastChannel(CHANNEL)
    this.#channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const news = newsOf(data, user())
      if (news !== undefined) heard(news)
    })
  }

  tell(news: RoomNews): void {
    const user = this.#user()
    if (user !== '') this.#channel?.postMessage({ ...news, user })
  }

  close(): void {
    this.#channel?.close()
  }
}

/** Undefined for another user, or from another version of the page. */
function newsOf(data: unknown, me: string): RoomNews | undefined {
  if (typeof data !== 'object' || data === null || me === '') return undefined
  const { kind, room, user } = data as Partial<Record<keyof RoomNews | 'user', unknown>>
  if (user !== me || typeof room !== 'string' || room === '' || room.length > ROOM_MAX_CHARS) return undefined
  return kind === 'joined' || kind === 'left' ? { kind, room } : undefined
}
