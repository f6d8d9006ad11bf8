/** Presence as a worker tells it: entering and leaving. Leaves that could not be told are told again. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { RoomMembers } from '../../wire/app.ts'
import type { Author } from '../../wire/entry.ts'
import type { Link } from '../link/link.ts'
import { Untold } from './retry-queue.ts'

interface PresenceSession {
  room: string
  userId: string
  sessionId: string
}

export interface StaysOptions {
  link: Pick<Link, 'request'>
  logger: Logger
  registry: Registry
  untoldMax?: number
  firstPauseMs?: number
}

export class PresenceSessions {
  readonly #link: StaysOptions['link']
  readonly #leaves: Untold<PresenceSession>

  constructor({ link, ...rest }: StaysOptions) {
    this.#link = link
    const tell = (leave: PresenceSession) => link.request('presence.leave', leave)
    this.#leaves = new Untold({ ...rest, tell, part: 'presence' })
  }

  enter(room: string, user: Author, sessionId: string): Promise<RoomMembers> {
    return this.#link.request('presence.enter', { room, user, sessionId })
  }

  leave(room: string, userId: string, sessionId: string): void {
    this.#leaves.tell({ room, userId, sessionId })
  }
}
