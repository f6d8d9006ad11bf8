/**
 * Puts the worker's tag into the id of each Socket.IO socket before anything knows it by that id, so that what is for one
 * socket finds its worker without a subscription for each.
 */
import type { Namespace, Server } from 'socket.io'
import { namedSocketId } from '../core/session-id.ts'

/** To be called before the application adds its own middleware. A socket that passed by this keeps its id, and is subscribed for. */
export function nameSockets(io: Server, tag: string): void {
  const name = (namespace: Namespace) =>
    namespace.use((socket, next) => {
      Reflect.set(socket, 'id', namedSocketId(tag, socket.id))
      next()
    })
  name(io.of('/'))
  io.on('new_namespace', name)
}
