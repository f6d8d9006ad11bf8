/**
 * The bytes that were written to a connection and have not left the process. Socket.IO does not limit them
 * (engine.io#420). Reads counters of Engine.IO and ws, and changes nothing.
 */
import type { Socket } from 'socket.io'
import { member } from '../../core/member.ts'

type Connection = Socket['conn']

/** Bytes in Engine.IO's packet buffer and in the WebSocket below it. */
export function unsentBytes(connection: Connection): number {
  return bufferedPacketBytes(connection) + webSocketBytes(connection)
}

function bufferedPacketBytes(connection: Connection): number {
  const packets: unknown = Reflect.get(connection, 'writeBuffer')
  if (!Array.isArray(packets)) return 0
  let bytes = 0
  for (const packet of packets) bytes += dataLength(packet)
  return bytes
}

function dataLength(packet: unknown): number {
  if (typeof packet !== 'object' || packet === null) return 0
  const data: unknown = Reflect.get(packet, 'data')
  if (typeof data === 'string') return data.length
  return ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data.byteLength : 0
}

function webSocketBytes(connection: Connection): number {
  const webSocket: unknown = Reflect.get(connection.transport, 'socket')
  if (typeof webSocket !== 'object' || webSocket === null) return 0
  const buffered: unknown = Reflect.get(webSocket, 'bufferedAmount')
  return typeof buffered === 'number' ? buffered : 0
}

/**
 * Changes while the client takes what is sent, and only then: over WebSocket the bytes that have left the
 * process, over long polling the first packet that waits.
 */
export function readingProgress(connection: Connection): unknown {
  const socket = member(member(connection.transport, 'socket'), '_socket')
  if (socket === undefined) return member(member(connection, 'writeBuffer'), '0')
  const queued = member(member(socket, '_handle'), 'writeQueueSize') ?? 0
  return Number(member(socket, '_bytesDispatched')) - Number(queued)
}
