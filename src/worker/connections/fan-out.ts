/**
 * Sends one event to many sockets of this worker, encoded once. Skips sockets whose clients read too slowly
 * and returns them: the application decides how they get what they missed.
 */
import type { Socket } from 'socket.io'
import type { Packet } from 'socket.io-parser'
import { Encoder, PacketType } from 'socket.io-parser'
import { deliver } from './delivery.ts'
import { unsentBytes } from './unsent-bytes.ts'

const encoder = new Encoder()
const PLAIN = { volatile: false, compress: undefined } as const

export function createFanOut(
  limitBytes: number,
): (sockets: Iterable<Socket>, event: string, payload: unknown) => Socket[] {
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
      send(members, { type: PacketType.EVENT, nsp, data: [event, payload] })
    }
    return skipped
  }
}

function send(sockets: Socket[], packet: Packet): void {
  const packets = encoder.encode(packet)
  deliver({ packets, flags: PLAIN, packet: () => packet }, (write) => {
    for (const socket of sockets) write(socket)
  })
}
