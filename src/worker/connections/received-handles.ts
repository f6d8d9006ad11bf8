/**
 * Tells the primary of each connection that arrives, before anything of it is read or answered: until then the primary
 * keeps its own copy, which it may give to another worker should this one die. Must be called before `setupWorker`,
 * whose listener begins to serve the connection.
 */
import { isIPv6, Socket } from 'node:net'
import { handOverMessage, type WorkerControl } from '../../wire/control.ts'

export function reportReceivedHandles(send: (message: WorkerControl) => void): void {
  process.on('message', (message: unknown, handle: unknown) => {
    const handOver = handOverMessage.safeParse(message)
    if (!handOver.success) return
    const arrived = handle !== undefined && handle !== null
    send({ type: 'rookery:taken', id: handOver.data.id, arrived })
    const { client } = handOver.data
    if (client !== undefined && handle instanceof Socket) showClient(handle, client)
  })
}

/** The connection is one to another host of the cluster, which vouches for the client's address. */
function showClient(socket: Socket, { address, port }: { address: string; port: number }): void {
  Object.defineProperties(socket, {
    remoteAddress: { value: address },
    remotePort: { value: port },
    remoteFamily: { value: isIPv6(address) ? 'IPv6' : 'IPv4' },
  })
}
