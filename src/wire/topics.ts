/**
 * The names of what workers subscribe to over the link. A worker gets what is published to a topic while it holds a
 * subscription of it. The first letter keeps the kinds apart.
 */
import { createHash } from 'node:crypto'

/** Longer names stand on the link as their hash. */
const TOPIC_MAX_CHARS = 200

/** A chat room: its log entries and its presence. */
export const roomTopic = (room: string) => `r:${room}`

/** The room whose topic it is. */
export const roomOf = (topic: string) => (topic.startsWith('r:') ? topic.slice(2) : undefined)

/** Every server of a Socket.IO namespace. */
export const namespaceTopic = (nsp: string) => bounded(`n:${nsp}`)

/** The servers of a namespace that have any socket in it. */
export const everyoneTopic = (nsp: string) => bounded(`e:${nsp}`)

/** The one server that has the namespace's sockets whose ids bear this worker's tag. */
export const ownerTopic = (nsp: string, tag: string) => bounded(`o:${tag}:${nsp}`)

/** The servers with members of a Socket.IO room; the room of a single socket is one of them. */
export const memberTopic = (nsp: string, room: string) => bounded(`m:${nsp.length}:${nsp}:${room}`)

function bounded(topic: string): string {
  if (topic.length <= TOPIC_MAX_CHARS) return topic
  return `#${createHash('sha256').update(topic).digest('base64url')}`
}
