/**
 * Messages between hosts over the backplane. Worker names are those of the sending host (`w1`); on a link, a
 * worker of another host is named `<host tag>:<worker>`. Checked on arrival.
 */
import { z } from 'zod'
import { author, roomName, storedUserId as user } from './entry.ts'
import { sharedLinkLimits } from './link-limits.ts'

const worker = z.string().regex(/^w[1-9][0-9]{0,9}$/)
/** The sender of what comes from outside the cluster: a primary. Nothing can be sent to it. */
export const PRIMARY = 'primary'
const publisher = z.union([worker, z.literal(PRIMARY)])
/** The topic of a direct room bears the ids of its users. */
const topic = z.string().min(1).max(1_024)
const ref = z.int().min(1).max(0xffff_ffff)
const version = z.int().min(0)
const nonce = z.string().min(16).max(64)
/** Members in one message; larger rooms need several messages. */
export const PRESENT_MEMBERS_MAX = 1_000
/** Rooms in one query. */
export const QUERY_ROOMS_MAX = 1_000

/** What a host says of itself. */
export const hostStatus = z.object({
  state: z.enum(['ok', 'degraded', 'stopping']),
  /** Workers that take new clients. */
  workers: z.int().min(0),
  /** Sessions, with those that are being opened. */
  connections: z.int().min(0),
})
export type HostStatus = z.infer<typeof hostStatus>

const hostTag = z.string().regex(/^[A-Za-z0-9]{6}$/)

/** These are followed by a body: bytes that only the workers decode. */
const messagesWithBody = [
  /**
   * A publication of a worker, or through its primary. With `ref` the sending host expects a receipt. With `part`, `rest` bytes of the
   * body follow in messages of type `part`.
   */
  z.object({
    type: z.literal('publication'),
    from: publisher,
    ref: ref.optional(),
    volatile: z.boolean().optional(),
    topics: z.array(topic).max(4_096),
    grants: z.array(topic).max(4_096),
    part: z.object({ id: ref, rest: z.int().min(1).max(sharedLinkLimits.maxMessageBytes) }).optional(),
  }),
  /** The next bytes of the body of publication `id`. `at`: how many have come before. */
  z.object({ type: z.literal('part'), from: publisher, id: ref, at: z.int().min(1) }),
  /** From one worker to one worker. */
  z.object({ type: z.literal('send'), from: worker, to: worker }),
] as const

const messagesWithoutBody = [
  /** The workers that got publication `ref`. Arrives before anything that they answer. */
  z.object({ type: z.literal('receipt'), to: worker, ref, workers: z.array(worker).max(1_024) }),
  /** A worker has entered or left a group. `version` grows by one with each. */
  z.object({ type: z.literal('group'), topic, worker, joined: z.boolean(), version }),
  /** All groups of the sending host, as of `version`. */
  z.object({
    type: z.literal('groups'),
    version,
    groups: z.array(z.object({ topic, workers: z.array(worker).max(1_024) })).max(100_000),
  }),
  /** Query: send me your groups. */
  z.object({ type: z.literal('groups?') }),
  /** A worker of the sending host is gone and has left all its groups. */
  z.object({ type: z.literal('workerGone'), worker }),
  /**
   * Users of the sending host that joined or left the room. `version` grows with every change of any room.
   * `after` is the version of the room's previous change, 0 if the room was empty.
   */
  z.object({
    type: z.literal('presence'),
    room: roomName,
    version,
    after: version,
    joined: z.array(author),
    left: z.array(z.object({ id: user })),
  }),
  /**
   * All members of these rooms on the sending host, as of `version`. With `more`, the rest of the room
   * follows.
   */
  z.object({
    type: z.literal('present'),
    rooms: z
      .array(z.object({ room: roomName, version, members: z.array(author), more: z.boolean() }))
      .max(QUERY_ROOMS_MAX),
  }),
  /** Query: send me your members of these rooms. */
  z.object({ type: z.literal('present?'), rooms: z.array(roomName).max(QUERY_ROOMS_MAX) }),
] as const

export type MessageWithBody = z.infer<(typeof messagesWithBody)[number]> & { body: Uint8Array }
export type HostMessage = MessageWithBody | z.infer<(typeof messagesWithoutBody)[number]>

/**
 * Messages of the backplane itself. A host ignores all messages of another host until that one has answered a
 * challenge with a fresh nonce. So replayed messages can't make a host that is gone appear again.
 */
const controlMessages = [
  /** A heartbeat. The sender receives it too, which proves that its subscription works. */
  z.object({ type: z.literal('beat'), status: hostStatus.optional() }),
  /** A challenge, to one host or to all. */
  z.object({ type: z.literal('who'), nonce }),
  /** The answer to a challenge. With `ask` it challenges back. */
  z.object({
    type: z.literal('iam'),
    answer: nonce,
    ask: nonce.optional(),
    name: z.string().min(1).max(256),
    forwardTo: z.string().max(256).optional(),
  }),
  z.object({ type: z.literal('bye') }),
] as const
export type HostControlMessage = z.infer<(typeof controlMessages)[number]>

/**
 * The first line of a message, as JSON. `bytes` bytes of body follow. `n` grows with each message of the
 * sender. `base` counts the sender's messages to all hosts so far, including this one if it is to all; a
 * skipped number means that a message may be lost.
 */
export const hostMessageHeader = z.object({
  host: hostTag,
  n: z.int().min(1),
  base: z.int().min(0),
  /** `all`, `topic`, or the tag of one host. */
  to: z.union([z.literal('all'), z.literal('topic'), hostTag]),
  bytes: z.int().min(0).optional(),
  message: z.discriminatedUnion('type', [...messagesWithBody, ...messagesWithoutBody, ...controlMessages]),
})
export type HostMessageHeader = z.infer<typeof hostMessageHeader>
