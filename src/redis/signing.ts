/**
 * Signs data that passes through Redis, so that write access to Redis is not enough to forge a message. A
 * signature is valid for one cluster and one purpose: data signed for one channel is refused on another. It
 * does not protect against replay; the reader must detect that.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

/** HMAC-SHA-256, cut to 128 bits: RFC 2104, 5. */
export const SIGNATURE_BYTES = 16

export interface SigningKeys {
  readonly cluster: string
  /** The first one signs; each of them verifies. */
  readonly secrets: readonly [string, ...string[]]
}

/** @param purpose use of the bytes: a channel, `forward` … */
export function sign(keys: SigningKeys, purpose: string, bytes: Uint8Array): Buffer {
  const [first] = secretsOf(keys)
  return signatureOf(first, contextOf(keys.cluster, purpose), bytes)
}

export function verify(
  keys: SigningKeys,
  purpose: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.byteLength !== SIGNATURE_BYTES) return false
  const context = contextOf(keys.cluster, purpose)
  return secretsOf(keys).some((secret) => timingSafeEqual(signatureOf(secret, context, bytes), signature))
}

interface SecretSettings {
  clusterName: string
  clusterSecret: string | undefined
  clusterSecretOther: string | undefined
}

/** Keys for messages between hosts, from the settings; undefined if no secret is set. */
export function signingKeys(settings: SecretSettings): SigningKeys | undefined {
  const { clusterName, clusterSecret, clusterSecretOther } = settings
  if (clusterSecret === undefined) return undefined
  const others = clusterSecretOther === undefined ? [] : [clusterSecretOther]
  return { cluster: clusterName, secrets: [clusterSecret, ...others] }
}

/** Keys for stored messages: former secrets verify them too. */
export function logSigningKeys(
  settings: SecretSettings & { clusterSecretOld: string | undefined },
): SigningKeys | undefined {
  const keys = signingKeys(settings)
  if (keys === undefined || settings.clusterSecretOld === undefined) return keys
  return { ...keys, secrets: [...keys.secrets, ...settings.clusterSecretOld.split(',')] }
}

/** Cache: preparing a text secret for each signature costs a quarter of the time. */
const prepared = new WeakMap<SigningKeys, [KeyObject, ...KeyObject[]]>()

function secretsOf(keys: SigningKeys): [KeyObject, ...KeyObject[]] {
  const known = prepared.get(keys)
  if (known !== undefined) return known
  const [first, ...others] = keys.secrets
  const secrets: [KeyObject, ...KeyObject[]] = [keyOf(first), ...others.map(keyOf)]
  prepared.set(keys, secrets)
  return secrets
}

function keyOf(secret: string): KeyObject {
  return createSecretKey(secret, 'utf8')
}

/** Each part is prefixed with its length, so that different inputs never give the same bytes. */
function contextOf(cluster: string, purpose: string): string {
  return ['rookery', cluster, purpose].map((part) => `${Buffer.byteLength(part)}:${part}`).join('')
}

function signatureOf(secret: KeyObject, context: string, bytes: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(context).update(bytes).digest().subarray(0, SIGNATURE_BYTES)
}
