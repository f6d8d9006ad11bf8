/**
 * Who is at the other end of a connection: asked once, when it is made. A connection whose token expires is closed, so
 * that the client comes back with a new one; stock clients do that by themselves when the connection is cut.
 */
import type { Logger } from 'pino'
import type { Server, Socket } from 'socket.io'
import type { AppSettings } from '../wire/app.ts'
import type { Author } from '../wire/entry.ts'
import { failureBody } from './failures.ts'
import { guest, isPassing } from './guest.ts'
import { jwtAuthenticator } from './jwt.ts'

export interface Identity {
  user: Author
  /** Absent: never. */
  expiresAtMs?: number
}

/** Rejects with the `RookeryError` that the client is refused with. */
export type Authenticate = (auth: unknown) => Promise<Identity>

/** Longest delay that a Node timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1

export function authenticator(settings: AppSettings): Authenticate {
  if (settings.auth === 'jwt') return jwtAuthenticator(settings)
  return async (auth) => guest(auth)
}

/** Tells users that may come back from those that never will: nothing is kept for these. */
export function lastingUsers(settings: Pick<AppSettings, 'auth'>): (userId: string) => boolean {
  return settings.auth === 'guest' ? (userId) => !isPassing(userId) : () => true
}

/** Lets in whom `authenticate` knows. @returns who a connected socket is */
export function guardConnections(
  io: Server,
  authenticate: Authenticate,
  logger: Logger,
): (socket: Socket) => Identity {
  const identities = new WeakMap<Socket, Identity>()
  const admit = async (socket: Socket, next: (refusal?: Error) => void): Promise<void> => {
    try {
      identities.set(socket, await authenticate(socket.handshake.auth))
    } catch (error) {
      const { code, message, retryable } = failureBody(error, logger, 'connect')
      next(Object.assign(new Error(message), { data: { code, message, retryable } }))
      return
    }
    next()
  }
  io.use((socket, next) => void admit(socket, next))
  return (socket) => {
    const identity = identities.get(socket)
    if (identity === undefined) throw new Error('a socket came in without an identity')
    return identity
  }
}

/** Closes the socket's connection when its identity expires. */
export function closeAtExpiry(socket: Socket, expiresAtMs: number): void {
  const wait = (): NodeJS.Timeout => {
    const leftMs = expiresAtMs - Date.now()
    return setTimeout(
      () => {
        if (Date.now() >= expiresAtMs) socket.conn.close()
        else timer = wait()
      },
      Math.max(0, Math.min(leftMs, TIMER_MAX_MS)),
    )
  }
  let timer = wait()
  socket.once('disconnect', () => clearTimeout(timer))
}
