/**
 * What hosts say to each other over the backplane. Names of workers are those of the sending host (`w1`); a worker of
 * another host is known on a link as `<host tag>:<worker>`. Checked where it comes in.
 */
import { z } from 'zod'
import { author, roomName } from './entry.ts'

const worker = z.string().regex(/^w[1-9][0-9]{0,9}$/)
const topic = z.string().min(1).max(256)
const ref = z.int().min(1).max(0xffff_ffff)
const user = z.string().min(1).max(64)
const version = z.int().min(0)
const nonce = z.string().min(16).max(64)
/** Of one message; more members of a room go in several. */
export const PRESENT_MEMBERS_MAX = 1_000
/** Of one question. */
export const QUERY_ROOMS_MAX = 1_000

const hostTag = z.string().regex(/^[A-Za-z0-9]{6}$/)

/** Behind these stands a body: bytes that nobody between the workers looks into. */
const messagesWithBody = [
  /** What a worker publishes. With `ref` the sender's host is owed a receipt. */
  z.object({
    type: z.literal('publication'),
    from: worker,
    ref: ref.optional(),
    volatile: z.boolean().optional(),
    topics: z.array(topic).max(4_096),
    grants: z.array(topic).max(4_096),
  }),
  /** From one worker to one worker. */
  z.object({ type: z.literal('send'), from: worker, to: worker }),
] as const

const messagesWithoutBody = [
  /** The workers that publication `ref` was passed to. Comes before anything that they answer. */
  z.object({ type: z.literal('receipt'), to: worker, ref, workers: z.array(worker).max(1_024) }),
  /** A worker has entered or left a group. `version` grows by one with each. */
  z.object({ type: z.literal('group'), topic, worker, joined: z.boolean(), version }),
  /** All groups of the sending host, as of `version`. */
  z.object({
    type: z.literal('groups'),
    version,
    groups: z.array(z.object({ topic, workers: z.array(worker).max(1_024) })).max(100_000),
  }),
  /** Tell me your groups. */
  z.object({ type: z.literal('groups?') }),
  /** A worker of the sending host is gone, and out of all its groups. */
  z.object({ type: z.literal('workerGone'), worker }),
  /**
   * Who of the sending host came to the room and who left it. `version` grows with every change of any room; `after` is
   * that of the room's change before, 0 when nobody was in it.
   */
  z.object({
    type: z.literal('presence'),
    room: roomName,
    version,
    after: version,
    joined: z.array(author),
    left: z.array(z.object({ id: user })),
  }),
  /** Everybody of the sending host who is in these rooms, as of `version`. With `more`, the rest of a room follows. */
  z.object({
    type: z.literal('present'),
    rooms: z
      .array(z.object({ room: roomName, version, members: z.array(author), more: z.boolean() }))
      .max(QUERY_ROOMS_MAX),
  }),
  /** Who of yours is in these rooms? */
  z.object({ type: z.literal('present?'), rooms: z.array(roomName).max(QUERY_ROOMS_MAX) }),
] as const

export type MessageWithBody = z.infer<(typeof messagesWithBody)[number]> & { body: Uint8Array }
export type HostMessage = MessageWithBody | z.infer<(typeof messagesWithoutBody)[number]>

/**
 * What the backplane itself says. A host takes nothing of another before that has answered a question of its own with a
 * nonce that nobody has used: so that nobody brings a host back by sending again what it once said.
 */
const controlMessages = [
  /** I am here. Heard by its sender as well, who knows thereby that it hears. */
  z.object({ type: z.literal('beat') }),
  /** Who are you (if to all: all of you)? */
  z.object({ type: z.literal('who'), nonce }),
  /** The answer, which may ask back. */
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
 * The first line of what a host says, as JSON; behind it come `bytes` bytes of the message's body. `n` grows with each message of
 * its sender. `base` counts those to all hosts, this one included if it is; a number left out means that something may have
 * been lost.
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
