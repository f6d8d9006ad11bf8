/**
 * Confirms to the primary each connection that arrives, before anything is read from it or written to it.
 * Until then the primary keeps its own copy, which it can give to another worker if this one dies. Call
 * before `setupWorker`, whose listener starts to serve the connection.
 */
import { isIPv6, Socket } from 'node:net'
import { type HandOverMessage, handOverMessage, type WorkerControl } from '../../wire/control.ts'

/** @param onArrived called before the connection is served */
export function reportReceivedHandles(
  send: (message: WorkerControl) => void,
  onArrived: (socket: Socket, message: HandOverMessage) => void = () => undefined,
): void {
  process.on('message', (message: unknown, handle: unknown) => {
    const handOver = handOverMessage.safeParse(message)
    if (!handOver.success) return
    const arrived = handle !== undefined && handle !== null
    send({ type: 'rookery:taken', id: handOver.data.id, arrived })
    const { client } = handOver.data
    if (!(handle instanceof Socket)) return
    if (client !== undefined) setClientAddress(handle, client)
    onArrived(handle, handOver.data)
  })
}

/** Another host, or a proxy with the PROXY protocol, has vouched for the client's address. */
function setClientAddress(socket: Socket, { address, port }: { address: string; port: number }): void {
  Object.defineProperties(socket, {
    remoteAddress: { value: address },
    remotePort: { value: port },
    remoteFamily: { value: isIPv6(address) ? 'IPv6' : 'IPv4' },
  })
}
