/** Times on the command line. */
import { ExitError } from '../ops/exit-codes.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

export function milliseconds(text: string): number {
  const [, digits = '', unit = ''] = /^([1-9][0-9]{0,6}) ?(ms|s|m|h)$/.exec(text) ?? []
  const unitMs = UNIT_MS[unit]
  if (unitMs === undefined)
    throw new ExitError('usage', `--timeout ${text} is not a time such as 500ms, 90s or 5m`)
  return Number(digits) * unitMs
}
