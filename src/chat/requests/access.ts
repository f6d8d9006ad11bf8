/** Access to rooms, in which an application that mounts the chat has a say. */
import type { Socket } from 'socket.io'
import { withTimeout } from '../../core/with-timeout.ts'
import type { Author } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import { checkAccess } from '../auth/access.ts'
import type { Session } from '../session.ts'

/** What a user wants to do in a room. */
export interface RoomAccess {
  /** `join`: get all that is written from now on. `read`: history and members. `write`: append an entry. */
  action: 'join' | 'read' | 'write'
  room: string
  /** Of the entry, with `write`: `text`, `edit`, `remove`, or one of your own. */
  kind?: string
  data?: unknown
}

/** Asked at each request, in their order. What it throws refuses the request. */
export type Authorize = (access: RoomAccess & { user: Author; socket: Socket }) => boolean | Promise<boolean>

/** An application that does not answer in time holds up no client for longer. */
const ANSWER_MS = 8_000

export class Access {
  readonly #authorize: Authorize | undefined

  constructor(authorize?: Authorize) {
    this.#authorize = authorize
  }

  /** At once, unless the application decides. @throws `forbidden` */
  check(session: Session, access: RoomAccess): Promise<void> | undefined {
    checkAccess(access.room, session.user.id)
    const authorize = this.#authorize
    if (authorize === undefined) return undefined
    return session.checkInTurn(async () => {
      const { user, socket } = session
      const answer = Promise.resolve(authorize({ ...access, user, socket }))
      const allowed: unknown = await withTimeout(ANSWER_MS, answer, () => {
        throw new RookeryError('unavailable', 'the application has not decided in time')
      })
      if (allowed !== true) throw new RookeryError('forbidden', 'this is not allowed here')
    })
  }
}
