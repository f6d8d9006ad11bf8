/**
 * The names of what workers subscribe to over the link. A worker gets what is published to a topic while it holds a
 * subscription of it. The first letter keeps the kinds apart; a name is at most `TOPIC_MAX_BYTES` long on the link.
 */

/** A chat room: its log entries and its presence. */
export const roomTopic = (room: string) => `r:${room}`

/** A Socket.IO namespace: everybody that serves it. Broadcasts without a room, and what is asked of all servers. */
export const namespaceTopic = (nsp: string) => `n:${nsp}`

/** A Socket.IO room (a socket's own among them) within a namespace. */
export const memberTopic = (nsp: string, room: string) => `m:${nsp}\0${room}`
