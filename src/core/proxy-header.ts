/**
 * Reads the header of the PROXY protocol (v1 and v2), with which a load balancer says at the beginning of a
 * connection whose it is: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt. Strict and bounded.
 * Pure.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net'

export interface ProxiedClient {
  address: string
  port: number
}

export type ProxyHeaderProgress =
  | { state: 'partial' }
  /** `client` is undefined if the header names none: the balancer's own checks, or another kind of address. */
  | { state: 'complete'; client: ProxiedClient | undefined; headerBytes: number }
  /** The bytes do not begin like a header. */
  | { state: 'absent' }
  | { state: 'refused' }

const V1 = Buffer.from('PROXY ', 'latin1')
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const V1_MAX_BYTES = 107
const V2_FIXED_BYTES = 16
/** Of addresses and extensions; these may hold the names in a client's certificate. */
const V2_MAX_BYTES = 4_096
const V1_UNKNOWN = /^PROXY UNKNOWN(?: [^\r\n]*)?$/
const V1_TCP = /^PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ([0-9]{1,5}) ([0-9]{1,5})$/
const PORT = /^(?:0|[1-9][0-9]*)$/
const MAX_PORT = 65_535
const REFUSED = { state: 'refused' } as const
const PARTIAL = { state: 'partial' } as const

/** @param bytes all of the connection so far; what follows the header is ignored */
export function readProxyHeader(bytes: Buffer): ProxyHeaderProgress {
  if (beginsLike(bytes, V1)) return bytes.length < V1.length ? PARTIAL : readV1(bytes)
  if (beginsLike(bytes, V2)) return bytes.length < V2_FIXED_BYTES ? PARTIAL : readV2(bytes)
  return { state: 'absent' }
}

/** Compares as many bytes as there are. */
function beginsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.subarray(0, length).equals(signature.subarray(0, length))
}

function readV1(bytes: Buffer): ProxyHeaderProgress {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n')
  if (end === -1) return bytes.length < V1_MAX_BYTES ? PARTIAL : REFUSED
  const line = bytes.toString('latin1', 0, end)
  const headerBytes = end + 2
  if (V1_UNKNOWN.test(line)) return { state: 'complete', client: undefined, headerBytes }
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = V1_TCP.exec(line) ?? []
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6
  if (family === undefined || ![from, to].every(isAddress) || ![fromPort, toPort].every(isPort))
    return REFUSED
  const address = family === 'TCP4' ? from : canonicalIPv6(from)
  return { state: 'complete', client: { address, port: Number(fromPort) }, headerBytes }
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= MAX_PORT
}

const LOCAL = 0x20
const PROXY = 0x21
const TCP_OVER_IPV4 = 0x11
const TCP_OVER_IPV6 = 0x21
const MAX_FAMILY = 3
const MAX_TRANSPORT = 2

function readV2(bytes: Buffer): ProxyHeaderProgress {
  const command = bytes.readUInt8(12)
  const kind = bytes.readUInt8(13)
  const length = bytes.readUInt16BE(14)
  const isKnown = kind >> 4 <= MAX_FAMILY && (kind & 0x0f) <= MAX_TRANSPORT
  if ((command !== LOCAL && command !== PROXY) || !isKnown || length > V2_MAX_BYTES) return REFUSED
  const addressBytes = command === LOCAL ? 0 : kind === TCP_OVER_IPV4 ? 4 : kind === TCP_OVER_IPV6 ? 16 : 0
  // Two addresses and two ports.
  if (addressBytes > 0 && length < 2 * addressBytes + 4) return REFUSED
  const headerBytes = V2_FIXED_BYTES + length
  if (bytes.length < headerBytes) return PARTIAL
  if (addressBytes === 0) return { state: 'complete', client: undefined, headerBytes }
  const address = bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + addressBytes)
  const client = {
    address: addressBytes === 4 ? address.join('.') : canonicalIPv6(groupsOf(address)),
    port: bytes.readUInt16BE(V2_FIXED_BYTES + 2 * addressBytes),
  }
  return { state: 'complete', client, headerBytes }
}

function groupsOf(address: Buffer): string {
  return Array.from({ length: 8 }, (_, group) => address.readUInt16BE(2 * group).toString(16)).join(':')
}

/** As a socket's own address is written. */
function canonicalIPv6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address
}
