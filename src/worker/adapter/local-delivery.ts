/**
 * Writes packets that are encoded already to sockets of this worker. They are decoded again only for sockets on which
 * the application listens to what goes out, and for those that are to acknowledge.
 */

import type { Server, Socket } from 'socket.io'
import type { Packet } from 'socket.io-parser'
import { PacketType } from 'socket.io-parser'
import { textFrame } from '../../core/ws-text-frame.ts'
import type { BroadcastFlags } from './codec.ts'

/** Engine.IO's type of a packet that carries a message. */
const ENGINE_MESSAGE = '4'

export type EncodedPackets = readonly (string | Buffer)[]

interface EngineOptions {
  preEncoded: true
  volatile: boolean
  compress: boolean | undefined
  wsPreEncodedFrame?: Buffer[]
}

/** What the base class lets an adapter do with a socket, and the type declarations keep to themselves. */
interface DeliverySocket {
  listenersAnyOutgoing(): unknown[]
  notifyOutgoingListeners(packet: Packet): void
  readonly client: { writeToEngine(packets: EncodedPackets, options: EngineOptions): void }
}

export interface Delivery {
  packets: EncodedPackets
  flags: BroadcastFlags
  /** Called at most once. */
  packet: () => Packet
}

/** @param each calls back for every socket that is meant */
export function deliver(delivery: Delivery, each: (callback: (socket: Socket) => void) => void): void {
  const options = engineOptions(delivery)
  const failures: unknown[] = []
  let packet: Packet | undefined
  each((member) => {
    const socket = member as unknown as DeliverySocket
    if (socket.listenersAnyOutgoing().length > 0) {
      packet ??= delivery.packet()
      notify(socket, packet, failures)
    }
    socket.client.writeToEngine(delivery.packets, options)
  })
  // The application's own fault, told when everybody has what is theirs.
  if (failures.length > 0) throw failures[0]
}

export function decodePackets(server: Server, packets: EncodedPackets): Packet {
  const decoder = new server._parser.Decoder({ maxAttachments: Number.MAX_SAFE_INTEGER })
  let decoded: Packet | undefined
  decoder.on('decoded', (packet) => {
    decoded = packet
  })
  for (const packet of packets) decoder.add(packet)
  decoder.destroy()
  if (decoded === undefined) throw new Error('a broadcast whose packets make no whole')
  // The encoder finds out by itself whether there are attachments.
  return { ...decoded, type: PacketType.EVENT }
}

function notify(socket: DeliverySocket, packet: Packet, failures: unknown[]): void {
  try {
    socket.notifyOutgoingListeners(packet)
  } catch (error) {
    failures.push(error)
  }
}

function engineOptions({ packets, flags }: Delivery): EngineOptions {
  const options: EngineOptions = { preEncoded: true, volatile: flags.volatile, compress: flags.compress }
  const [only] = packets
  if (packets.length === 1 && typeof only === 'string')
    options.wsPreEncodedFrame = [textFrame(ENGINE_MESSAGE + only)]
  return options
}
