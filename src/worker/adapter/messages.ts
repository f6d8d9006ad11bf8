/** Requests and responses between adapters, in the base class's shapes. Checked on arrival. */
import { MessageType } from 'socket.io-adapter'
import { PacketType } from 'socket.io-parser'
import { z } from 'zod'

const room = z.union([z.string(), z.number()])
const rooms = z.array(room)
const flags = z.looseObject({
  volatile: z.boolean().optional(),
  compress: z.boolean().optional(),
  timeout: z.number().optional(),
})
const opts = z.object({ rooms, except: rooms, flags: flags.optional() })
const requestId = z.string()

const remoteSocket = z.object({ id: z.string(), handshake: z.unknown(), rooms, data: z.unknown() })

/** A response that says that the request failed. The base class has no such type. */
export const FAILED = 100

const request = z.discriminatedUnion('type', [
  /** From outside the cluster. Workers send their own broadcasts encoded. */
  z.object({
    type: z.literal(MessageType.BROADCAST),
    data: z.object({
      opts,
      packet: z.object({ type: z.literal(PacketType.EVENT), data: z.array(z.unknown()).min(1) }),
    }),
  }),
  z.object({ type: z.literal(MessageType.SOCKETS_JOIN), data: z.object({ opts, rooms }) }),
  z.object({ type: z.literal(MessageType.SOCKETS_LEAVE), data: z.object({ opts, rooms }) }),
  z.object({
    type: z.literal(MessageType.DISCONNECT_SOCKETS),
    data: z.object({ opts, close: z.boolean().optional() }),
  }),
  z.object({
    type: z.literal(MessageType.FETCH_SOCKETS),
    /** With `only` the answer says no more than this (`brief-sockets.ts`). */
    data: z.object({ opts, requestId, only: z.enum(['ids', 'rooms']).optional() }),
  }),
  z.object({
    type: z.literal(MessageType.SERVER_SIDE_EMIT),
    data: z.object({ requestId: requestId.optional(), packet: z.array(z.unknown()).min(1) }),
  }),
])

const response = z.discriminatedUnion('type', [
  z.object({
    type: z.literal(MessageType.FETCH_SOCKETS_RESPONSE),
    data: z.object({ requestId, sockets: z.array(remoteSocket) }),
  }),
  z.object({
    type: z.literal(MessageType.SERVER_SIDE_EMIT_RESPONSE),
    data: z.object({ requestId, packet: z.unknown() }),
  }),
  z.object({
    type: z.literal(MessageType.BROADCAST_CLIENT_COUNT),
    data: z.object({ requestId, clientCount: z.int().min(0) }),
  }),
  z.object({
    type: z.literal(MessageType.BROADCAST_ACK),
    data: z.object({ requestId, packet: z.unknown() }),
  }),
  z.object({ type: z.literal(FAILED), data: z.object({ requestId, reason: z.string() }) }),
])

export const adapterMessage = z.union([
  request.transform((message) => ({ kind: 'request' as const, message })),
  response.transform((message) => ({ kind: 'response' as const, message })),
])

// Zod completes a union at its first use, and fails at it if the application has added properties to
// `Object.prototype` by then.
adapterMessage.safeParse({})

export type FetchedSocket = z.infer<typeof remoteSocket>
export type AdapterRequest = z.infer<typeof request>
export type AdapterResponse = z.infer<typeof response>
