/**
 * What hosts say to each other over the backplane. Names of workers are those of the sending host (`w1`); a worker of
 * another host is known on a link as `<host tag>:<worker>`. Checked where it comes in.
 */
import { z } from 'zod'
import { author, roomName } from './entry.ts'

const worker = z.string().regex(/^w[1-9][0-9]{0,9}$/)
const topic = z.string().min(1).max(256)
const ref = z.int().min(1).max(0xffff_ffff)
const body = z.instanceof(Uint8Array)
const user = z.string().min(1).max(64)

export const hostMessage = z.discriminatedUnion('type', [
  /** What a worker publishes. With `ref` the sender's host is owed a receipt. */
  z.object({
    type: z.literal('publication'),
    from: worker,
    ref: ref.optional(),
    volatile: z.boolean().optional(),
    topics: z.array(topic).max(4_096),
    grants: z.array(topic).max(4_096),
    body,
  }),
  /** The workers that publication `ref` was passed to. Comes before anything that they answer. */
  z.object({ type: z.literal('receipt'), to: worker, ref, workers: z.array(worker).max(1_024) }),
  /** From one worker to one worker. */
  z.object({ type: z.literal('send'), from: worker, to: worker, body }),
  /** A worker has entered or left a group. */
  z.object({ type: z.literal('group'), topic, worker, joined: z.boolean(), version: z.int() }),
  /** All groups of the sending host, as of `version`. */
  z.object({
    type: z.literal('groups'),
    version: z.int(),
    groups: z.array(z.object({ topic, workers: z.array(worker).max(1_024) })),
  }),
  /** Tell me your groups. */
  z.object({ type: z.literal('groups?') }),
  /** A worker of the sending host is gone. */
  z.object({ type: z.literal('workerGone'), worker }),
  /** Who of the sending host came to the room and who left it; `version` grows by one with each, by room. */
  z.object({
    type: z.literal('presence'),
    room: roomName,
    version: z.int(),
    joined: z.array(author),
    left: z.array(z.object({ id: user })),
  }),
  /** Everybody of the sending host who is in the room, as of `version`. */
  z.object({
    type: z.literal('present'),
    room: roomName,
    version: z.int(),
    members: z.array(author),
    part: z.int(),
    parts: z.int(),
  }),
  /** Who of yours is in these rooms? */
  z.object({ type: z.literal('present?'), rooms: z.array(roomName).max(1_000) }),
])
export type HostMessage = z.infer<typeof hostMessage>
