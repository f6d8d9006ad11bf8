/**
 * What programs outside the cluster may ask of its adapters, whatever the way it came, and the publications that do
 * it. Pure.
 */
import { MessageType } from 'socket.io-adapter'
import { PacketType } from 'socket.io-parser'
import { encodeControl } from '../../wire/adapter-control.ts'
import type { RoomKey } from '../../wire/topics.ts'
import { broadcastTopics, isRoomKey, memberTopic, namespaceTopic } from '../../wire/topics.ts'
import type { OutsidePublication } from '../relay/index.ts'

/** Deeper values overflow the stack of those who take them apart by recursion. */
export const VALUE_LIMITS = { maxDepth: 100, maxValues: 1_000_000 }
export const NAMESPACE_MAX_CHARS = 256

/** Clients refuse these from a server, or take them for what they are not. */
export const RESERVED_EVENTS: ReadonlySet<unknown> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
])

/** Servers emit these themselves. */
export const RESERVED_SERVER_EVENTS: ReadonlySet<unknown> = new Set([
  'connect',
  'connection',
  'new_namespace',
])

/** Whom it concerns. What is no string or number can be in no room. */
export interface Selection {
  nsp: string
  rooms: readonly unknown[]
  except: readonly unknown[]
}

export type OutsideMessage =
  | ({
      kind: 'emit'
      flags: { volatile: boolean; compress: boolean | undefined }
      data: unknown[]
    } & Selection)
  | ({ kind: 'join' | 'leave'; targets: readonly unknown[] } & Selection)
  | ({ kind: 'disconnect'; close: boolean } & Selection)
  | { kind: 'serverSideEmit'; nsp: string; data: unknown[] }

export type Publication = Omit<OutsidePublication, 'reach'>

/** Rooms in one message: a longer list of topics is refused. */
const ROOMS_JOINED_AT_ONCE = 1_024

/** None if it can concern nobody. Throws a DataCloneError for what no message can hold. */
export function publicationsOf(message: OutsideMessage): Publication[] {
  const { nsp } = message
  if (message.kind === 'serverSideEmit') {
    const asked = { type: MessageType.SERVER_SIDE_EMIT, data: { packet: message.data } }
    return [publication(nsp, { topics: [namespaceTopic(nsp)], asked })]
  }
  const rooms = message.rooms.filter(isRoomKey)
  // A list that was not empty must never become an empty one, which means everybody.
  if (rooms.length === 0 && message.rooms.length > 0) return []
  const opts = { rooms, except: message.except.filter(isRoomKey) }
  const topics = broadcastTopics(nsp, rooms)
  if (message.kind === 'emit') {
    const { volatile, compress } = message.flags
    const flags = compress === undefined ? { volatile } : { volatile, compress }
    const packet = { type: PacketType.EVENT, data: message.data }
    const asked = { type: MessageType.BROADCAST, data: { opts: { ...opts, flags }, packet } }
    return [{ ...publication(nsp, { topics, asked }), volatile }]
  }
  if (message.kind === 'disconnect') {
    const asked = { type: MessageType.DISCONNECT_SOCKETS, data: { opts, close: message.close } }
    return [publication(nsp, { topics, asked })]
  }
  const isJoin = message.kind === 'join'
  return chunksOf(message.targets).map((some) => {
    const type = isJoin ? MessageType.SOCKETS_JOIN : MessageType.SOCKETS_LEAVE
    // What is published from now on also reaches the workers that are about to subscribe to these rooms.
    const grants = isJoin ? some.map((room) => memberTopic(nsp, room)) : []
    return { ...publication(nsp, { topics, asked: { type, data: { opts, rooms: some } } }), grants }
  })
}

function publication(nsp: string, { topics, asked }: { topics: string[]; asked: object }): Publication {
  return { topics, grants: [], body: encodeControl(nsp, asked), volatile: false }
}

function chunksOf(targets: readonly unknown[]): RoomKey[][] {
  const rooms = targets.filter(isRoomKey)
  const chunks: RoomKey[][] = []
  for (let from = 0; from < rooms.length; from += ROOMS_JOINED_AT_ONCE)
    chunks.push(rooms.slice(from, from + ROOMS_JOINED_AT_ONCE))
  return chunks
}
