/**
 * The address under which other hosts reach this one, unless it is set: that of the interface that leads to
 * Redis.
 */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

/** Nothing is sent: connecting a datagram socket only asks the system for the route. */
const ANY_PORT = 9

/** @returns undefined if there is no route to the host, or its name can't be resolved */
export async function ownAddressTowards(host: string): Promise<string | undefined> {
  for (const type of ['udp4', 'udp6'] as const) {
    const address = await routeFrom(createSocket(type), host)
    if (address !== undefined) return address
  }
  return undefined
}

const EVERY_ADDRESS = new Set(['0.0.0.0', '::', '[::]', '0:0:0:0:0:0:0:0'])

/** The listening address, if it is a single one: the host is not reachable under another. */
export function onlyAddress(listensOn: string): string | undefined {
  return EVERY_ADDRESS.has(listensOn) ? undefined : listensOn
}

/** `address:port`, IPv6 in brackets. */
export function endpoint(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}

function routeFrom(socket: Socket, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const settle = (address: string | undefined) => {
      socket.removeAllListeners()
      socket.on('error', () => undefined)
      socket.close()
      resolve(address)
    }
    socket.once('error', () => settle(undefined))
    // Node also calls it with an error; its types do not say so.
    const connected = (...[error]: unknown[]) =>
      settle(error instanceof Error ? undefined : socket.address().address)
    socket.connect(ANY_PORT, host, connected)
  })
}
