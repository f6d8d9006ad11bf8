/**
 * Signs what travels through Redis, so that who can write to Redis can't forge a message. A signature holds for one cluster
 * and one purpose: what was signed for one channel is not taken on another. It says nothing of when: a message that is sent
 * again as it was is for its reader to notice.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** HMAC-SHA-256, cut to 128 bits: RFC 2104, 5. */
export const SIGNATURE_BYTES = 16

export interface SigningKeys {
  readonly cluster: string
  /** The first signs, each of them verifies. */
  readonly secrets: readonly [string, ...string[]]
}

/** @param purpose what the bytes are for: a channel, `forward` … */
export function sign(keys: SigningKeys, purpose: string, bytes: Uint8Array): Buffer {
  return signatureOf(keys.secrets[0], contextOf(keys.cluster, purpose), bytes)
}

export function verify(
  keys: SigningKeys,
  purpose: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.byteLength !== SIGNATURE_BYTES) return false
  const context = contextOf(keys.cluster, purpose)
  return keys.secrets.some((secret) => timingSafeEqual(signatureOf(secret, context, bytes), signature))
}

/** The keys of the settings; undefined when no secret is set. */
export function signingKeys(settings: {
  clusterName: string
  clusterSecret: string | undefined
  clusterSecretOther: string | undefined
}): SigningKeys | undefined {
  const { clusterName, clusterSecret, clusterSecretOther } = settings
  if (clusterSecret === undefined) return undefined
  const others = clusterSecretOther === undefined ? [] : [clusterSecretOther]
  return { cluster: clusterName, secrets: [clusterSecret, ...others] }
}

/** Each part with its length before it, so that no two pairs of them give the same bytes. */
function contextOf(cluster: string, purpose: string): Buffer {
  const parts = ['rookery', cluster, purpose].map((part) => Buffer.from(part))
  return Buffer.concat(parts.flatMap((part) => [Buffer.from(`${part.length}:`), part]))
}

function signatureOf(secret: string, context: Buffer, bytes: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(context).update(bytes).digest().subarray(0, SIGNATURE_BYTES)
}
