/**
 * Writes encoded packets to sockets of this worker. Decodes them only for sockets that have a listener for
 * outgoing packets.
 */

import type { Server, Socket } from 'socket.io'
import type { Packet } from 'socket.io-parser'
import { PacketType } from 'socket.io-parser'
import { textFrame } from '../../core/ws-text-frame.ts'

/** Engine.IO's packet type for a message. */
const ENGINE_MESSAGE = '4'

export type EncodedPackets = readonly (string | Buffer)[]

export interface DeliveryFlags {
  volatile: boolean
  compress: boolean | undefined
}

interface EngineOptions extends DeliveryFlags {
  preEncoded: true
  wsPreEncodedFrame?: Buffer[]
}

/** Methods that the base class uses on a socket but that its type declarations leave out. */
interface DeliverySocket {
  listenersAnyOutgoing(): unknown[]
  notifyOutgoingListeners(packet: Packet): void
  readonly client: { writeToEngine(packets: EncodedPackets, options: EngineOptions): void }
}

export interface Delivery {
  packets: EncodedPackets
  flags: DeliveryFlags
  /** The packet before it was encoded. Called at most once. */
  packet: () => Packet
}

/**
 * Throws, after every socket has been written to, what a listener of the application threw.
 * @param each calls `callback` for each recipient
 */
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
  if (decoded === undefined) throw new Error('the packets of a broadcast are incomplete')
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
