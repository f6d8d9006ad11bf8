/** Under which address other hosts reach this one, if the settings do not say: that of the interface which leads to Redis. */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

/** Nothing is ever sent: connecting a datagram socket only asks the system for the route. */
const ANY_PORT = 9

/** @returns undefined when there is no way to that host, or its name is not known */
export async function ownAddressTowards(host: string): Promise<string | undefined> {
  for (const type of ['udp4', 'udp6'] as const) {
    const address = await routeFrom(createSocket(type), host)
    if (address !== undefined) return address
  }
  return undefined
}

const EVERY_ADDRESS = new Set(['0.0.0.0', '::', '[::]', '0:0:0:0:0:0:0:0'])

/** What a host listens on, where that is one address: nobody reaches it under another one. */
export function onlyAddress(listensOn: string): string | undefined {
  return EVERY_ADDRESS.has(listensOn) ? undefined : listensOn
}

/** As other hosts write it. */
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
    // Node calls it with an error too, which its types do not say.
    const connected = (...[error]: unknown[]) =>
      settle(error instanceof Error ? undefined : socket.address().address)
    socket.connect(ANY_PORT, host, connected)
  })
}
