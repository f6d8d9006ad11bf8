/**
 * Checks server responses field by field: on a client's hot path a schema would cost more than the work
 * itself.
 */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

export function isOk(answer: unknown): answer is { ok: true } & Record<string, unknown> {
  return isRecord(answer) && answer.ok === true
}

export interface Refusal {
  code: string
  retryable: boolean
  retryAfterMs: number
}

/** @returns the refusal in a response; a malformed response counts as a retryable refusal */
export function refusalOf(answer: unknown): Refusal {
  const error = isRecord(answer) && isRecord(answer.error) ? answer.error : {}
  return {
    code: typeof error.code === 'string' ? error.code : 'bad answer',
    retryable: error.retryable !== false,
    retryAfterMs: typeof error.retryAfterMs === 'number' ? error.retryAfterMs : 0,
  }
}

/** An entry of a room's log. */
export interface Entry {
  seq: number
  id: unknown
  text: string | undefined
}

export function entryOf(value: unknown): Entry | undefined {
  if (!isRecord(value) || typeof value.seq !== 'number') return undefined
  return { seq: value.seq, id: value.id, text: typeof value.text === 'string' ? value.text : undefined }
}

export interface Page {
  epoch: string
  head: number
  entries: readonly Entry[]
  more: boolean
  reset: boolean
}

/** The response to `room:join` and `room:history`. */
export function pageOf(answer: Record<string, unknown>): Page | undefined {
  const { epoch, head, messages, more, reset } = answer
  if (typeof epoch !== 'string' || typeof head !== 'number' || !Array.isArray(messages)) return undefined
  const entries = messages.map(entryOf)
  if (entries.includes(undefined)) return undefined
  return {
    epoch,
    head,
    entries: entries.filter((entry) => entry !== undefined),
    more: more === true,
    reset: reset === true,
  }
}
