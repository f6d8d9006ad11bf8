/**
 * Reports to the primary which connections enter and leave which rooms. Leaves that can't be sent are
 * retried.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { RoomMembers } from '../../wire/app.ts'
import type { Author } from '../../wire/entry.ts'
import type { Link } from '../link/index.ts'
import { RetryQueue } from '../link/index.ts'

interface PresenceSession {
  room: string
  userId: string
  sessionId: string
}

export interface PresenceSessionsOptions {
  link: Pick<Link, 'request'>
  logger: Logger
  registry: Registry
  maxQueued?: number
  firstDelayMs?: number
}

export class PresenceSessions {
  readonly #link: PresenceSessionsOptions['link']
  readonly #leaves: RetryQueue<PresenceSession>

  constructor({ link, ...rest }: PresenceSessionsOptions) {
    this.#link = link
    const send = (session: PresenceSession) => link.request('presence.leave', session)
    this.#leaves = new RetryQueue({ ...rest, send, part: 'presence' })
  }

  enter(room: string, user: Author, sessionId: string): Promise<RoomMembers> {
    return this.#link.request('presence.enter', { room, user, sessionId })
  }

  leave(room: string, userId: string, sessionId: string): void {
    this.#leaves.send({ room, userId, sessionId })
  }
}
