/** What an application's entry can be: its kind, and its JSON data with their bounds. */

/** A name that an entry's kind can have. */
export const KIND = /^[A-Za-z][A-Za-z0-9_.:-]{0,31}$/
export const KIND_RULE = 'a kind is a letter and at most 31 further letters, digits and _ . : -'
/** Of the chat, now or later. */
const chatKinds: readonly string[] = ['text', 'edit', 'remove', 'unreadable', 'reaction', 'pin']
/** Whether the kind is an application's own. */
export const isOwnKind = (name: string): boolean => KIND.test(name) && !chatKinds.includes(name)

/** Of the data as JSON in UTF-8. */
export const DATA_MAX_BYTES = 65_536
/** Arrays and objects inside each other. */
export const DATA_MAX_DEPTH = 64

const encoder = new TextEncoder()

export type DataProblem = 'deep' | 'large' | 'not_json'

export const dataProblems: Record<DataProblem, string> = {
  deep: `data has at most ${DATA_MAX_DEPTH} levels`,
  large: `data has at most ${DATA_MAX_BYTES} bytes as JSON`,
  not_json: 'data is not JSON',
}

/** Of a value that came from JSON. */
export function dataProblem(value: unknown): DataProblem | undefined {
  if (!isWithin(value, DATA_MAX_DEPTH)) return 'deep'
  return tooLong(JSON.stringify(value)) ? 'large' : undefined
}

/** What JSON makes of the value. Objects that refer to themselves, and functions, are no JSON. */
export function toData(value: unknown): { data: unknown } | { problem: DataProblem } {
  const json = jsonOf(value)
  if (json === undefined) return { problem: 'not_json' }
  return fromJson(json)
}

/** Data that is stored as JSON. */
export function fromJson(json: string): { data: unknown } | { problem: DataProblem } {
  if (tooLong(json)) return { problem: 'large' }
  try {
    const data: unknown = JSON.parse(json)
    return isWithin(data, DATA_MAX_DEPTH) ? { data } : { problem: 'deep' }
  } catch {
    return { problem: 'not_json' }
  }
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // A cycle, a BigInt, or an error of the value's own `toJSON`: the caller is told.
    return undefined
  }
}

function tooLong(json: string): boolean {
  return json.length > DATA_MAX_BYTES || encoder.encode(json).length > DATA_MAX_BYTES
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((part) => isWithin(part, levels - 1))
}
