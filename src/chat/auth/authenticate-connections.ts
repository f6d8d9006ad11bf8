/**
 * Authenticates each connection once, when it is made. A connection whose token expires is closed, so that
 * the client comes back with a new one: stock clients reconnect by themselves when the connection is cut.
 */
import type { Logger } from 'pino'
import type { Namespace, Socket } from 'socket.io'
import type { Limits } from '../../wire/app.ts'
import { errorBodyOf } from '../errors.ts'
import type { Identity } from './identity.ts'

/** The clock may be put right meanwhile, so it is looked at again. */
const TIMER_MAX_MS = 600_000

export interface AuthenticationOptions {
  /** Rejects with the `RookeryError` that refuses the client. */
  authenticate: (socket: Socket) => Promise<Identity>
  limits: Limits
  /** Users that can't come back have only this one connection, so their connections are not counted. */
  isPersistentUser: (userId: string) => boolean
  logger: Logger
}

/**
 * Refuses clients that `authenticate` refuses, and users with too many connections.
 * @returns the identity of a connected socket
 */
export function authenticateConnections(
  io: Namespace,
  { authenticate, limits, isPersistentUser, logger }: AuthenticationOptions,
): (socket: Socket) => Identity {
  const identities = new WeakMap<Socket, Identity>()
  const admit = async (socket: Socket, next: (refusal?: Error) => void): Promise<void> => {
    try {
      const identity = await authenticate(socket)
      if (isPersistentUser(identity.user.id))
        onceClosed(socket, await limits.admitConnection(identity.user.id))
      identities.set(socket, identity)
    } catch (error) {
      const { code, message, retryable } = errorBodyOf(error, logger, 'connect')
      next(Object.assign(new Error(message), { data: { code, message, retryable } }))
      return
    }
    next()
  }
  io.use((socket, next) => void admit(socket, next))
  return (socket) => {
    const identity = identities.get(socket)
    if (identity === undefined) throw new Error('a socket connected without an identity')
    return identity
  }
}

/** Calls `listener` once when the socket is closed, also when it never got connected. */
function onceClosed(socket: Socket, listener: () => void): void {
  if (socket.conn.readyState === 'closed') return listener()
  const onClose = () => {
    socket.conn.off('close', onClose)
    socket.off('disconnect', onClose)
    listener()
  }
  socket.conn.once('close', onClose)
  socket.once('disconnect', onClose)
  return undefined
}

/** Closes the socket's connection when its identity expires. Times are Unix milliseconds. */
export function closeAtExpiry(socket: Socket, expiresAtMs: number, now: () => number): void {
  const wait = (): NodeJS.Timeout => {
    const leftMs = expiresAtMs - now()
    return setTimeout(
      () => {
        if (now() >= expiresAtMs) socket.conn.close()
        else timer = wait()
      },
      Math.max(0, Math.min(leftMs, TIMER_MAX_MS)),
    )
  }
  let timer = wait()
  socket.once('disconnect', () => clearTimeout(timer))
}
