/**
 * The handshake between two hosts before one forwards a client's connection to the other. Pure: bytes in,
 * bytes out.
 *
 *     owner     → hello:   RKF1, 16 random bytes
 *     forwarder → request: RKF1, length of the JSON (2 bytes), JSON, HMAC-SHA256 of hello and JSON
 *     owner     → accept:  RKF1, HMAC-SHA256 of the request's HMAC
 *
 * After the handshake the connection carries the client's bytes. Each side proves that it knows the secret,
 * over random bytes of the other side, so recorded requests and answers can't be replayed. Nothing is
 * encrypted.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'

export interface ClientAddress {
  address: string
  port: number
}

const MAGIC = Buffer.from('RKF1', 'latin1')
export const NONCE_BYTES = 16
const LENGTH_BYTES = 2
const MAC_BYTES = 32
const MAX_JSON_BYTES = 512
const REQUEST_LABEL = 'rookery forward request\n'
const ACCEPT_LABEL = 'rookery forward accept\n'

export const HELLO_BYTES = MAGIC.length + NONCE_BYTES
export const ACCEPT_BYTES = MAGIC.length + MAC_BYTES

const forwardRequest = z.object({
  /** The tag of the intended host: its address may belong to another host by now. */
  to: z.string().min(1).max(64),
  /** Random bytes of the forwarder, as base64url. */
  nonce: z.string().min(1).max(64),
  client: z.object({
    address: z
      .string()
      .max(64)
      .refine((address) => isIP(address) !== 0, 'an IP address'),
    port: z.int().min(0).max(65_535),
  }),
})
export type ForwardRequest = z.infer<typeof forwardRequest>

export type RequestProgress =
  | { state: 'partial' }
  | { state: 'refused'; reason: 'malformed' | 'forged' }
  /** `secret`: the secret that the request was made with. */
  | { state: 'complete'; request: ForwardRequest; secret: string }

export function createHello(nonce: Buffer): Buffer {
  return Buffer.concat([MAGIC, nonce])
}

export function isHello(bytes: Buffer): boolean {
  return bytes.length === HELLO_BYTES && startsWithMagic(bytes)
}

export function createRequest(request: ForwardRequest, hello: Buffer, secret: string): Buffer {
  const json = Buffer.from(JSON.stringify(request))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt16BE(json.length)
  return Buffer.concat([MAGIC, length, json, requestMac(hello, json, secret)])
}

/**
 * Parses the bytes so far. Does not parse the JSON before its HMAC has been verified with one of the secrets.
 */
export function readRequest(bytes: Buffer, hello: Buffer, secrets: readonly string[]): RequestProgress {
  if (!startsWithMagic(bytes)) return { state: 'refused', reason: 'malformed' }
  const start = MAGIC.length + LENGTH_BYTES
  if (bytes.length < start) return { state: 'partial' }
  const end = start + bytes.readUInt16BE(MAGIC.length)
  if (end - start > MAX_JSON_BYTES || bytes.length > end + MAC_BYTES) {
    return { state: 'refused', reason: 'malformed' }
  }
  if (bytes.length < end + MAC_BYTES) return { state: 'partial' }
  const json = bytes.subarray(start, end)
  const mac = bytes.subarray(end)
  const secret = secrets.find((candidate) => timingSafeEqual(mac, requestMac(hello, json, candidate)))
  if (secret === undefined) return { state: 'refused', reason: 'forged' }
  const request = forwardRequest.safeParse(parseJson(json))
  return request.success
    ? { state: 'complete', request: request.data, secret }
    : { state: 'refused', reason: 'malformed' }
}

/** @param request the bytes of the request */
export function createAccept(request: Buffer, secret: string): Buffer {
  const mac = createHmac('sha256', secret).update(ACCEPT_LABEL).update(request.subarray(-MAC_BYTES)).digest()
  return Buffer.concat([MAGIC, mac])
}

export function isAccept(bytes: Buffer, request: Buffer, secret: string): boolean {
  return bytes.length === ACCEPT_BYTES && timingSafeEqual(bytes, createAccept(request, secret))
}

function requestMac(hello: Buffer, json: Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(REQUEST_LABEL).update(hello).update(json).digest()
}

/** Compares as many bytes as there are. */
function startsWithMagic(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, MAGIC.length)
  return bytes.subarray(0, length).equals(MAGIC.subarray(0, length))
}

function parseJson(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString())
  } catch {
    return undefined
  }
}
