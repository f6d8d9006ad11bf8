/**
 * The names of the topics that workers subscribe to over the link. The first letter tells the kind of topic.
 */
import { createHash } from 'node:crypto'
import { socketOwnerOf } from '../core/session-id.ts'

/** Longer names are replaced by their hash. */
const TOPIC_MAX_CHARS = 200

/** A room: its log entries and its presence. */
export const roomTopic = (room: string) => `r:${room}`

/** The room of a topic, if it is the topic of a room. */
export const roomOf = (topic: string) => (topic.startsWith('r:') ? topic.slice(2) : undefined)

/** Every server of a Socket.IO namespace. */
export const namespaceTopic = (nsp: string) => bounded(`n:${nsp}`)

/** The servers with any socket in the namespace. */
export const everyoneTopic = (nsp: string) => bounded(`e:${nsp}`)

/** The server whose sockets in the namespace have this worker tag in their ids. */
export const ownerTopic = (nsp: string, tag: string) => bounded(`o:${tag}:${nsp}`)

/** The servers with members of a Socket.IO room. */
export const memberTopic = (nsp: string, room: RoomKey) =>
  bounded(`m:${nsp.length}:${nsp}:${typeof room === 'number' ? `\0${room}` : room}`)

/** Socket.IO's types say string, but numbers work on a single server, so they work here too. */
export type RoomKey = string | number

export function isRoomKey(room: unknown): room is RoomKey {
  return typeof room === 'string' || typeof room === 'number'
}

/** A broadcast to more rooms than this goes to all servers with any socket, which filter by room themselves. */
const MAX_ROOM_TOPICS = 256

/**
 * The topics that reach every server with a member of any of the rooms; no rooms: every server with any socket.
 * @param ownTag of the server that sends: it needs no topic
 */
export function broadcastTopics(nsp: string, rooms: readonly RoomKey[], ownTag?: string): string[] {
  const topics: string[] = []
  for (const room of rooms) {
    topics.push(memberTopic(nsp, room))
    const owner = ownerOf(room)
    // The owner is not subscribed to the room itself, but other servers may have sockets in it.
    if (owner !== null && owner !== ownTag) topics.push(ownerTopic(nsp, owner))
  }
  return topics.length === 0 || topics.length > MAX_ROOM_TOPICS ? [everyoneTopic(nsp)] : topics
}

/** The tag of the server that owns the socket whose room this is; `null` if it is no such room. */
export function ownerOf(room: RoomKey): string | null {
  return typeof room === 'string' ? socketOwnerOf(room) : null
}

function bounded(topic: string): string {
  if (topic.length <= TOPIC_MAX_CHARS) return topic
  return `#${createHash('sha256').update(topic).digest('base64url')}`
}
