/**
 * Who is at the other end of a connection: asked once, when it is made. A connection whose token expires is closed, so
 * that the client comes back with a new one; stock clients do that by themselves when the connection is cut.
 */
import type { Logger } from 'pino'
import type { Server, Socket } from 'socket.io'
import type { AppSettings, Limits } from '../../wire/app.ts'
import type { Author } from '../../wire/entry.ts'
import { failureBody } from '../requests/failures.ts'
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

export interface GuardOptions {
  authenticate: Authenticate
  limits: Limits
  /** Whether a user may come back. One that never does has this one connection: there is nothing to count. */
  lasts: (userId: string) => boolean
  logger: Logger
}

/** Lets in whom `authenticate` knows, unless they have too many connections. @returns who a connected socket is */
export function guardConnections(
  io: Server,
  { authenticate, limits, lasts, logger }: GuardOptions,
): (socket: Socket) => Identity {
  const identities = new WeakMap<Socket, Identity>()
  const admit = async (socket: Socket, next: (refusal?: Error) => void): Promise<void> => {
    try {
      const identity = await authenticate(socket.handshake.auth)
      if (lasts(identity.user.id)) onceEnded(socket, await limits.admitConnection(identity.user.id))
      identities.set(socket, identity)
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

/** Calls `end` when the socket is over, be it that it never gets to be connected. */
function onceEnded(socket: Socket, end: () => void): void {
  if (socket.conn.readyState === 'closed') return end()
  const over = () => {
    socket.conn.off('close', over)
    socket.off('disconnect', over)
    end()
  }
  socket.conn.once('close', over)
  socket.once('disconnect', over)
  return undefined
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
