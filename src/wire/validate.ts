/** Checks what comes from outside against a schema. */
import type { z } from 'zod'
import { RookeryError } from './errors.ts'

/**
 * @param what names the value itself in the error
 * @throws RookeryError `bad_request` that says what is wrong first
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown, what = 'payload'): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where = issue?.path.map(String).join('.') || what
  throw new RookeryError('bad_request', `${where}: ${issue?.message ?? 'not what the protocol allows'}`)
}
