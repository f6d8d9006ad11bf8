/**
 * Puts the worker's tag into the id of each Socket.IO socket. A message for one socket then finds its worker
 * without a subscription for each socket. The id is set before Socket.IO stores the socket under it: a socket
 * whose id changes later would never be removed from Socket.IO's tables.
 */
import type { Namespace, Server, Socket } from 'socket.io'
import { taggedSocketId } from '../../core/session-id.ts'

type Create = (...args: unknown[]) => Promise<Socket>

/** Sockets created in another way keep their ids and get a subscription each. */
export function tagSocketIds(io: Server, tag: string): void {
  tagNamespace(io.of('/'), tag)
  io.on('new_namespace', (namespace) => tagNamespace(namespace, tag))
}

function tagNamespace(namespace: Namespace, tag: string): void {
  const create: unknown = Reflect.get(namespace, '_createSocket')
  if (!isCreate(create)) return
  const createTagged: Create = async (...args) => {
    const socket = await Reflect.apply(create, namespace, args)
    // Clients of Socket.IO 2 know their id from the session's, which names the worker already.
    if (socket.conn.protocol !== 3) Reflect.set(socket, 'id', taggedSocketId(tag, socket.id))
    return socket
  }
  Reflect.set(namespace, '_createSocket', createTagged)
}

const isCreate = (value: unknown): value is Create => typeof value === 'function'
