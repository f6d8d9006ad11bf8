/**
 * Puts the worker's tag into the id of each Socket.IO socket before anything knows it by that id, Socket.IO itself included: it keeps
 * sockets under their ids, and would never let go of one that has another id than when it was put there. So what is for one socket
 * finds its worker without a subscription for each.
 */
import type { Namespace, Server, Socket } from 'socket.io'
import { taggedSocketId } from '../../core/session-id.ts'

type Create = (...args: unknown[]) => Promise<Socket>

/** A socket that is made in another way keeps its id, and is subscribed for. */
export function tagSocketIds(io: Server, tag: string): void {
  nameThoseOf(io.of('/'), tag)
  io.on('new_namespace', (namespace) => nameThoseOf(namespace, tag))
}

function nameThoseOf(namespace: Namespace, tag: string): void {
  const create: unknown = Reflect.get(namespace, '_createSocket')
  if (!isCreate(create)) return
  const createNamed: Create = async (...args) => {
    const socket = await Reflect.apply(create, namespace, args)
    Reflect.set(socket, 'id', taggedSocketId(tag, socket.id))
    return socket
  }
  Reflect.set(namespace, '_createSocket', createNamed)
}

const isCreate = (value: unknown): value is Create => typeof value === 'function'
