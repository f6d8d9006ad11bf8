/**
 * The format of session ids: `<worker tag>-<random>`. The tag names the worker that owns the session, so any
 * process can route a request by its session id alone, without a table. A tag is the host's six random
 * characters, new at each start of the primary, and the worker's number. No I/O.
 */
import { randomBytes, randomInt } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const HOST_TAG_CHARS = 6
/** 144 bits. */
const RANDOM_BYTES = 18
const WORKER_TAG = /^[A-Za-z0-9]{6}[1-9][0-9]{0,9}$/
/** A tag has no `-`, so the first `-` ends it. */
const SESSION_ID = /^([A-Za-z0-9]{6}[1-9][0-9]{0,9})-[A-Za-z0-9_-]{24}$/

export function createHostTag(): string {
  return Array.from({ length: HOST_TAG_CHARS }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
}

/** @throws TypeError when the result is not a well-formed tag */
export function workerTag(hostTag: string, workerNumber: number): string {
  const tag = `${hostTag}${workerNumber}`
  if (hostTag.length !== HOST_TAG_CHARS || !WORKER_TAG.test(tag)) {
    throw new TypeError(`not a worker tag: host tag ${JSON.stringify(hostTag)}, number ${workerNumber}`)
  }
  return tag
}

/** The host's part of a worker tag. */
export function hostTagOf(tag: string): string {
  return tag.slice(0, HOST_TAG_CHARS)
}

/** A worker tag, then the id that Socket.IO generated. */
const SOCKET_ID = /^([A-Za-z0-9]{6}[1-9][0-9]{0,9})\.[A-Za-z0-9_-]{20}$/

/** An unguessable session id that names its owner. */
export function generateSessionId(tag: string): string {
  return `${tag}-${randomBytes(RANDOM_BYTES).toString('base64url')}`
}

/** The worker tag in a session id; null when it is not one of ours. */
export function ownerOf(sessionId: string): string | null {
  return SESSION_ID.exec(sessionId)?.[1] ?? null
}

/**
 * The id with the worker tag in front. The `.` tells it from a session id. An id that has a tag is returned
 * as it is.
 */
export function taggedSocketId(tag: string, id: string): string {
  return socketOwnerOf(id) === null ? `${tag}.${id}` : id
}

/** The worker tag in the id of a socket; null when it is not one of ours. */
export function socketOwnerOf(id: string): string | null {
  return SOCKET_ID.exec(id)?.[1] ?? null
}
