/**
 * One event to many sockets of this worker, encoded once. Who reads too slowly is passed over and named to the caller:
 * what a socket misses is for the application to make good.
 */
import type { Server, Socket } from 'socket.io'
import { PacketType } from 'socket.io-parser'
import { textFrame } from '../core/ws-text-frame.ts'
import { unsentBytes } from './unsent.ts'

/** Engine.IO's type of a packet that carries a message. */
const ENGINE_MESSAGE = '4'

export function createFanOut(
  io: Server,
  limitBytes: number,
): (sockets: Iterable<Socket>, event: string, payload: unknown) => Socket[] {
  return (sockets, event, payload) => {
    const passedOver: Socket[] = []
    const encoded = new Map<string, EncodedEvent>()
    for (const socket of sockets) {
      if (unsentBytes(socket.conn) > limitBytes) {
        passedOver.push(socket)
        continue
      }
      const nsp = socket.nsp.name
      const packets = encoded.get(nsp) ?? encode(io, nsp, [event, payload])
      encoded.set(nsp, packets)
      for (const packet of packets.packets) socket.conn.write(packet, packets.options)
    }
    return passedOver
  }
}

interface EncodedEvent {
  packets: (string | Buffer)[]
  options: { compress: boolean; wsPreEncodedFrame?: Buffer[] }
}

function encode(io: Server, nsp: string, data: unknown[]): EncodedEvent {
  const packets = io.encoder.encode({ type: PacketType.EVENT, nsp, data })
  const [only] = packets
  if (packets.length !== 1 || typeof only !== 'string') return { packets, options: { compress: false } }
  const frame = textFrame(Buffer.from(ENGINE_MESSAGE + only))
  return { packets, options: { compress: false, wsPreEncodedFrame: frame } }
}
