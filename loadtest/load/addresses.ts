/**
 * Which address each client connects to, and from which. A source address has some 28,000 ports (net.ipv4.ip_local_port_range),
 * and those of connections that ended are taken for another minute; so to a loopback address clients connect from several. Pure.
 */
import type { ClientPlan, HostedClient } from '../model/plan.ts'

const PORTS_PER_ADDRESS = 15_000
/** Of one client at a time: long polling keeps one request open and sends by another. */
const PORTS_PER_CLIENT = { websocket: 1, polling: 2, upgrade: 2 } as const

const HOSTS_PER_BYTE = 254

/** @param urls for each host the addresses that its clients spread over, in turn */
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

/** @returns undefined for the first: the machine's own choice, with which a port can be used for several targets */
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

/** Of the names of this machine 127.0.0.0/8 alone has more than one address to connect from. */
function hasManySources(url: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(new URL(url).hostname)
}
