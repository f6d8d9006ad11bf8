/**
 * The names of the topics that workers subscribe to over the link. The first letter tells the kind of topic.
 */
import { createHash } from 'node:crypto'

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
export const memberTopic = (nsp: string, room: string) => bounded(`m:${nsp.length}:${nsp}:${room}`)

function bounded(topic: string): string {
  if (topic.length <= TOPIC_MAX_CHARS) return topic
  return `#${createHash('sha256').update(topic).digest('base64url')}`
}
