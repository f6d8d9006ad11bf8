/**
 * Assigns each client the address that it connects to, and the one it connects from. A source address has
 * about 28,000 ports (net.ipv4.ip_local_port_range), and ports of closed connections stay in use for a
 * minute. So clients use several source addresses on loopback. Pure.
 */
import type { ClientPlan, HostedClient } from '../model/plan.ts'

const PORTS_PER_ADDRESS = 15_000
/** Per client: long polling keeps one request open and sends with another. */
const PORTS_PER_CLIENT = { websocket: 1, polling: 2, upgrade: 2 } as const

const HOSTS_PER_BYTE = 254

/** @param urls per host, the addresses that its clients use in turn */
export function addressClients(
  wanted: readonly HostedClient[],
  urls: readonly (readonly string[])[],
): ClientPlan[] {
  const placed = urls.map(() => 0)
  let ports = 0
  return wanted.map(({ host, ...client }) => {
    const ofHost = urls[host] ?? []
    const place = placed[host] ?? 0
    const url = ofHost[place % ofHost.length]
    if (url === undefined)
      throw new Error(`client ${client.index} is to connect to host ${host}, which has no address`)
    placed[host] = place + 1
    if (!hasManySources(url)) return { ...client, url }
    const source = sourceAddress(Math.floor(ports / PORTS_PER_ADDRESS))
    ports += PORTS_PER_CLIENT[client.transport]
    return source === undefined ? { ...client, url } : { ...client, url, localAddress: source }
  })
}

/** @returns undefined for the first: the system's choice, with which a port can serve several targets */
export function sourceAddress(number: number): string | undefined {
  if (number === 0) return undefined
  const third = Math.floor(number / HOSTS_PER_BYTE)
  if (third > HOSTS_PER_BYTE) throw new Error(`there is no ${number}th loopback address`)
  return `127.1.${third}.${1 + (number % HOSTS_PER_BYTE)}`
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || hasManySources(url)
}

/** Of this machine's names only 127.0.0.0/8 has several addresses to connect from. */
function hasManySources(url: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(new URL(url).hostname)
}
