/**
 * Format of an entry in Redis and on a channel: readable JSON with a fixed order of keys (lua.ts). Everything
 * read from Redis is checked here, with a secret also its signature: over room, author, id and content (by
 * its hash, so that a blanked entry still proves its author). Fields that Redis itself sets are not signed:
 * seq, at, the epoch, and whether an entry has been blanked.
 */
import { z } from 'zod'
import { type SigningKeys, sign, verify } from '../../redis/signing.ts'
import { type LogEntry, logEntry, type MessageDraft, sequence } from '../../wire/entry.ts'
import { digestOf } from '../digest.ts'

/** A draft as arguments of the append script. */
export interface EncodedDraft {
  idField: string
  hash: string
  /** The author as it appears in the JSON of each of the author's entries. */
  author: string
  /** JSON from `id` to `sig`. */
  body: string
  /** `''` if the draft has no text. */
  text: string
}

const storedEntry = logEntry.omit({ room: true }).extend({
  hash: z.string().max(64),
  sig: z.string().max(64).optional(),
  n: z.int().min(0),
})
export type StoredRedisEntry = z.infer<typeof storedEntry>

const epochField = { epoch: z.string().min(1).max(64) }
const decodeMessage = z.union([
  z.object({ ...epochField, reset: z.literal(true) }),
  storedEntry.extend({ ...epochField, seq: sequence.min(1) }),
])

/** Why an entry is refused. */
export type Refusal = 'malformed' | 'forged'

export type ChannelMessage =
  | { type: 'entry'; epoch: string; entry: LogEntry }
  | { type: 'reset'; epoch: string }
  | { type: 'refused'; why: Refusal }

export class EntryCodec {
  readonly #keys: SigningKeys | undefined
  readonly #purpose: (room: string) => string

  /** @param purpose signing purpose of a room's entries */
  constructor(keys: SigningKeys | undefined, purpose: (room: string) => string) {
    this.#keys = keys
    this.#purpose = purpose
  }

  encode(room: string, draft: MessageDraft): EncodedDraft {
    const { id, kind, from } = draft
    const hash = digestOf(draft)
    const target = kind === 'text' ? undefined : draft.target
    return {
      hash,
      idField: idField(from.id, id),
      author: `,"from":{"id":${JSON.stringify(from.id)},"name":`,
      body: this.body(room, { id, kind, from, target, hash }),
      text: kind === 'remove' ? '' : JSON.stringify(draft.text),
    }
  }

  /** JSON from `id` to `sig`, in the order that the scripts rely on. */
  body(room: string, part: SignedPart): string {
    const { id, kind, from, target, hash } = part
    const sig = this.#keys === undefined ? undefined : sign(this.#keys, this.#purpose(room), signed(part))
    const ordered = { id, kind, from: { id: from.id, name: from.name }, target, hash }
    return JSON.stringify({ ...ordered, sig: sig?.toString('base64url') }).slice(1, -1)
  }

  /** Decodes a message of a room's channel. */
  decodeMessage(room: string, message: Buffer): ChannelMessage {
    const parsed = decodeMessage.safeParse(parseJson(message))
    if (!parsed.success) return { type: 'refused', why: 'malformed' }
    const { epoch } = parsed.data
    if ('reset' in parsed.data) return { type: 'reset', epoch }
    if (!this.#isGenuine(room, parsed.data)) return { type: 'refused', why: 'forged' }
    return { type: 'entry', epoch, entry: toLogEntry(room, parsed.data) }
  }

  /** Decodes the value stored under `seq`. */
  decodeStored(room: string, seq: number, value: Buffer | null): StoredRedisEntry | Refusal {
    const parsed = storedEntry.safeParse(value === null ? undefined : parseJson(value))
    if (!parsed.success || parsed.data.seq !== seq) return 'malformed'
    return this.#isGenuine(room, parsed.data) ? parsed.data : 'forged'
  }

  #isGenuine(room: string, decodeStored: StoredRedisEntry): boolean {
    if (this.#keys === undefined) return true
    const { kind, text, target, hash, sig = '' } = decodeStored
    if (text !== undefined && hash !== digestOf({ kind, text, target })) return false
    return verify(this.#keys, this.#purpose(room), signed(decodeStored), Buffer.from(sig, 'base64url'))
  }
}

interface SignedPart {
  id: string
  kind: LogEntry['kind']
  from: LogEntry['from']
  target?: number | undefined
  hash: string
}

function signed({ id, kind, from, target, hash }: SignedPart): Buffer {
  return Buffer.from(JSON.stringify([id, kind, from.id, from.name, target ?? null, hash]))
}

export const idField = (userId: string, id: string) => `${JSON.stringify(userId)}:${id}`

export function toLogEntry(room: string, decodeStored: StoredRedisEntry): LogEntry {
  const { seq, id, kind, from, text, target, at } = decodeStored
  const entry: LogEntry = { room, seq, id, kind, from, at }
  if (text !== undefined) entry.text = text
  if (target !== undefined) entry.target = target
  return entry
}

/**
 * Replaces a stored value that must not be shown. It keeps the sequence dense and has no effect: the removal
 * of an entry that can't exist.
 */
export function placeholder(room: string, seq: number, at: number): LogEntry {
  return { room, seq, id: `unreadable-${seq}`, kind: 'remove', from: { id: '-', name: '-' }, target: 0, at }
}

/** First bytes of the stored entry. They differ from those of any other entry with the same number. */
export function proofOf({ seq, at, id }: LogEntry): string {
  return `{"seq":${seq},"at":${at},"id":"${id}",`
}

/** `undefined` if the bytes are not JSON. */
function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    // Counted like everything else that does not match the schema.
    return undefined
  }
}
