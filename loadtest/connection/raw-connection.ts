/**
 * A lean Socket.IO client for load: only what the protocol requires, with little memory and CPU time per
 * message. It does not support binary packets or acks that a server asks for.
 */
import type { Connection, ConnectionEvents, ConnectionOptions } from './connection.ts'
import { ReconnectingConnection } from './reconnecting-connection.ts'
import { type Handshake, type RecoveryState, SocketIoSession } from './session/socketio-session.ts'
import { Cookies } from './transport/cookies.ts'
import type { Address } from './transport/transport.ts'

/** @param random from 0 to less than 1 */
export function openRaw(
  options: ConnectionOptions,
  events: ConnectionEvents,
  random: () => number,
): Connection {
  const { pathname, origin } = new URL(options.url)
  const address: Address = {
    url: new URL('/socket.io/?EIO=4', origin),
    localAddress: options.localAddress,
    cookies: new Cookies(),
  }
  const handshake: Handshake = { namespace: pathname, auth: options.auth, transport: options.transport }
  const recovery: RecoveryState = {}
  return new ReconnectingConnection(
    {
      dial: (sessionEvents) => new SocketIoSession(address, handshake, recovery, sessionEvents),
      reads: options.reads,
      random,
    },
    events,
  )
}
