/**
 * Sends one event to many sockets of this worker, encoded once. Skips sockets whose clients read too slowly
 * and returns them: the application decides how they get what they missed.
 */
import type { Server, Socket } from 'socket.io'
import type { Packet } from 'socket.io-parser'
import { PacketType } from 'socket.io-parser'
import { deliver, type EncodedPackets } from './delivery.ts'
import { unsentBytes } from './unsent-bytes.ts'

const PLAIN = { volatile: false, compress: undefined } as const

interface PacketEncoder {
  encode(packet: object): EncodedPackets
}

export function createFanOut(
  io: Server,
  limitBytes: number,
): (sockets: Iterable<Socket>, event: string, payload: unknown) => Socket[] {
  // The application may have another parser.
  const encoder: PacketEncoder = new io._parser.Encoder()
  return (sockets, event, payload) => {
    const skipped: Socket[] = []
    const byNamespace = new Map<string, Socket[]>()
    for (const socket of sockets) {
      const nsp = socket.nsp.name
      const members = byNamespace.get(nsp)
      if (unsentBytes(socket.conn) > limitBytes) skipped.push(socket)
      else if (members === undefined) byNamespace.set(nsp, [socket])
      else members.push(socket)
    }
    for (const [nsp, members] of byNamespace) {
      const packet: Packet = { type: PacketType.EVENT, nsp, data: [event, payload] }
      send(members, packet, encoder.encode(packet))
    }
    return skipped
  }
}

function send(sockets: Socket[], packet: Packet, packets: EncodedPackets): void {
  deliver({ packets, flags: PLAIN, packet: () => packet }, (write) => {
    for (const socket of sockets) write(socket)
  })
}
