/**
 * Format of an entry in Redis and on a channel: readable JSON with a fixed order of keys (lua.ts). Everything
 * read from Redis is checked here, with a secret also its signature: over room, author, id and content (by
 * its hash, so that a blanked entry still proves its author). Fields that Redis itself sets are not signed:
 * seq, at, the epoch, and whether an entry has been blanked.
 */
import { z } from 'zod'
import { type SigningKeys, sign, verify } from '../../redis/signing.ts'
import { type LogEntry, logEntry, sequence } from '../../wire/entry.ts'
import { dataProblems, fromJson, isOwnKind } from '../../wire/entry-data.ts'
import { digestOf } from '../digest.ts'
import type { AnyDraft } from '../room-log.ts'

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
  /** JSON in a JSON string; `''` if the draft has no data. */
  data: string
}

const storedData = z.string().transform((json, context) => {
  const read = fromJson(json)
  if ('data' in read) return read.data
  context.addIssue({ code: 'custom', message: dataProblems[read.problem] })
  return z.NEVER
})

const storedEntry = logEntry.omit({ room: true }).extend({
  hash: z.string().max(64),
  sig: z.string().max(64).optional(),
  n: z.int().min(0),
  data: storedData.optional(),
})
export type StoredRedisEntry = z.infer<typeof storedEntry>

const epochField = { epoch: z.string().min(1).max(64) }
const decodeMessage = z.union([
  z.object({ ...epochField, reset: z.literal(true) }),
  storedEntry.extend({ ...epochField, seq: sequence.min(1) }),
])

/** Why an entry is refused. `unsigned`: it has no signature, `forged`: one that no known secret has made. */
export type Refusal = 'malformed' | 'unsigned' | 'forged'

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

  encode(room: string, draft: AnyDraft): EncodedDraft {
    const { id, kind, from, target, text, data } = draft
    const hash = digestOf(draft)
    return {
      hash,
      idField: idField(from.id, id),
      author: `,"from":{"id":${JSON.stringify(from.id)},"name":`,
      body: this.body(room, { id, kind, from, target, hash }),
      text: text === undefined ? '' : JSON.stringify(text),
      data: encodedData(data),
    }
  }

  /** JSON from `id` to `sig`, in the order that the scripts rely on. */
  body(room: string, part: SignedPart): string {
    const { id, kind, from, target, hash } = part
    const ordered = { id, kind, from: { id: from.id, name: from.name }, target, hash }
    return JSON.stringify({ ...ordered, sig: this.#signature(room, part) }).slice(1, -1)
  }

  /** Decodes a message of a room's channel. */
  decodeMessage(room: string, message: Buffer): ChannelMessage {
    const parsed = decodeMessage.safeParse(parseJson(message))
    if (!parsed.success) return { type: 'refused', why: 'malformed' }
    const { epoch } = parsed.data
    if ('reset' in parsed.data) return { type: 'reset', epoch }
    const why = this.#refusal(room, parsed.data)
    if (why !== undefined) return { type: 'refused', why }
    return { type: 'entry', epoch, entry: toLogEntry(room, parsed.data) }
  }

  /**
   * Decodes the value stored under `seq`.
   * @param acceptUnsigned whether an entry without a signature is valid
   */
  decodeStored(
    room: string,
    seq: number,
    value: Buffer | null,
    acceptUnsigned = false,
  ): StoredRedisEntry | Refusal {
    const parsed = storedEntry.safeParse(value === null ? undefined : parseJson(value))
    if (!parsed.success || parsed.data.seq !== seq) return 'malformed'
    const why = this.#refusal(room, parsed.data)
    return why === undefined || (acceptUnsigned && why === 'unsigned') ? parsed.data : why
  }

  /**
   * The stored value with the signature of the first secret in place of its own; the other bytes stay.
   * Undefined if the value does not have the form that this log writes.
   */
  signedAnew(room: string, entry: StoredRedisEntry, value: Buffer): Buffer | undefined {
    const { hash, sig } = entry
    const json = value.toString()
    const before = json.indexOf(`,"hash":${JSON.stringify(hash)}`)
    const from = json.indexOf(',', before + 1)
    const own = sig === undefined ? '' : `,"sig":${JSON.stringify(sig)}`
    if (before === -1 || from === -1 || !json.startsWith(`${own},"n":`, from)) return undefined
    const signature = `,"sig":${JSON.stringify(this.#signature(room, entry))}`
    return Buffer.from(json.slice(0, from) + signature + json.slice(from + own.length))
  }

  /** By the first secret; undefined without secrets. */
  #signature(room: string, part: SignedPart): string | undefined {
    if (this.#keys === undefined) return undefined
    return sign(this.#keys, this.#purpose(room), signed(part)).toString('base64url')
  }

  #refusal(room: string, entry: StoredRedisEntry): Refusal | undefined {
    if (this.#keys === undefined) return undefined
    const { kind, text, target, data, hash, sig } = entry
    // A removal blanks a text, but no data.
    const isWhole = text !== undefined || data !== undefined || isOwnKind(kind)
    if (isWhole && (kind === 'unreadable' || hash !== digestOf({ kind, text, target, data }))) return 'forged'
    if (sig === undefined) return 'unsigned'
    const signature = Buffer.from(sig, 'base64url')
    return verify(this.#keys, this.#purpose(room), signed(entry), signature) ? undefined : 'forged'
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

/** In a string, so that the scripts take none of its keys for one of the entry (lua.ts). */
export const encodedData = (data: unknown) => (data === undefined ? '' : JSON.stringify(JSON.stringify(data)))

export const idField = (userId: string, id: string) => `${JSON.stringify(userId)}:${id}`

export function toLogEntry(room: string, decodeStored: StoredRedisEntry): LogEntry {
  const { seq, id, kind, from, text, target, data, at } = decodeStored
  const entry: LogEntry = { room, seq, id, kind, from, at }
  if (text !== undefined) entry.text = text
  if (target !== undefined) entry.target = target
  if (data !== undefined) entry.data = data
  return entry
}

/** Takes the place of a stored value that must not be shown, and keeps the sequence dense. */
export function placeholder(room: string, seq: number, at: number): LogEntry {
  return { room, seq, id: `unreadable-${seq}`, kind: 'unreadable', from: { id: '-', name: '-' }, at }
}

/**
 * First bytes of the stored entry. They differ from those of any other entry with the same number. Empty,
 * and so no proof, for a placeholder: it does not say what is stored.
 */
export function proofOf({ seq, at, id, kind }: LogEntry): string {
  return kind === 'unreadable' ? '' : `{"seq":${seq},"at":${at},"id":"${id}",`
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
