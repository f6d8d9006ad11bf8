/**
 * Seals what this host says to others, and opens what others say: shape, signature, and the message inside. Pure.
 * What is not right is named by a reason, never thrown.
 */
import type { SigningKeys } from '../redis/signing.ts'
import { sign, verify } from '../redis/signing.ts'
import type { HostEnvelope, HostMessage, HostTalk } from '../wire/host-messages.ts'
import { hostEnvelope, hostMessage, hostTalk } from '../wire/host-messages.ts'

const PURPOSE = 'hosts'

/** Why something that came in is not taken. */
export type EnvelopeFault = 'envelope' | 'unsigned' | 'forged' | 'message'

export interface Opened extends Pick<HostEnvelope, 'host' | 'n' | 'base' | 'to'> {
  said: { kind: 'talk'; talk: HostTalk } | { kind: 'message'; message: HostMessage }
}

type Head = Pick<HostEnvelope, 'host' | 'n' | 'base' | 'to'>

/** @param keys none: it is not signed */
export function seal(head: Head, message: HostMessage | HostTalk, keys?: SigningKeys): HostEnvelope {
  const { body, ...rest } = 'body' in message ? message : { ...message, body: undefined }
  const envelope: HostEnvelope = { ...head, message: rest }
  if (body !== undefined) envelope.body = body
  if (keys !== undefined)
    envelope.signature = sign(keys, PURPOSE, signedBytes(envelope)).toString('base64url')
  return envelope
}

/** @param keys none: a signature is not looked at */
export function open(value: unknown, keys?: SigningKeys): Opened | EnvelopeFault {
  const envelope = hostEnvelope.safeParse(value)
  if (!envelope.success) return 'envelope'
  const fault = keys === undefined ? undefined : signatureFault(envelope.data, keys)
  return fault ?? openMessage(envelope.data)
}

function signatureFault(envelope: HostEnvelope, keys: SigningKeys): EnvelopeFault | undefined {
  const { signature } = envelope
  if (signature === undefined) return 'unsigned'
  const given = Buffer.from(signature, 'base64url')
  return verify(keys, PURPOSE, signedBytes(envelope), given) ? undefined : 'forged'
}

function openMessage({ host, n, base, to, message, body }: HostEnvelope): Opened | EnvelopeFault {
  const talk = hostTalk.safeParse(message)
  if (talk.success) return { host, n, base, to, said: { kind: 'talk', talk: talk.data } }
  const whole = hostMessage.safeParse(body === undefined ? message : { ...message, body })
  if (!whole.success) return 'message'
  return { host, n, base, to, said: { kind: 'message', message: whole.data } }
}

/** JSON gives the same text again for what has come out of it; keys keep their order, in MessagePack as well. */
function signedBytes({ host, n, base, to, message, body }: HostEnvelope): Uint8Array {
  const text = Buffer.from(JSON.stringify([host, n, base, to, message, body?.length ?? 0]))
  return body === undefined ? text : Buffer.concat([text, body])
}
