/**
 * One event to many sockets of this worker, encoded once. Who reads too slowly is passed over and named to the caller:
 * what a socket misses is for the application to make good.
 */
import type { Socket } from 'socket.io'
import type { Packet } from 'socket.io-parser'
import { Encoder, PacketType } from 'socket.io-parser'
import { deliver } from '../adapter/local-delivery.ts'
import { unsentBytes } from './unsent-bytes.ts'

const encoder = new Encoder()
const PLAIN = { volatile: false, compress: undefined } as const

export function createFanOut(
  limitBytes: number,
): (sockets: Iterable<Socket>, event: string, payload: unknown) => Socket[] {
  return (sockets, event, payload) => {
    const passedOver: Socket[] = []
    const due = new Map<string, Socket[]>()
    for (const socket of sockets) {
      const nsp = socket.nsp.name
      const members = due.get(nsp)
      if (unsentBytes(socket.conn) > limitBytes) passedOver.push(socket)
      else if (members === undefined) due.set(nsp, [socket])
      else members.push(socket)
    }
    for (const [nsp, members] of due) send(members, { type: PacketType.EVENT, nsp, data: [event, payload] })
    return passedOver
  }
}

function send(sockets: Socket[], packet: Packet): void {
  const packets = encoder.encode(packet)
  deliver({ packets, flags: PLAIN, packet: () => packet }, (write) => {
    for (const socket of sockets) write(socket)
  })
}
