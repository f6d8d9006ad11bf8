/** Turns errors into the error bodies that clients get. Never reveals internals of the server. */
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { ErrorBody } from '../wire/errors.ts'
import { RookeryError } from '../wire/errors.ts'

/** Parses what a client sent. @throws `bad_request` with the first problem, never with the content */
export function validate<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where = issue?.path.map(String).join('.') || 'payload'
  throw new RookeryError('bad_request', `${where}: ${issue?.message ?? 'not what the protocol allows'}`)
}

/** The body of a `RookeryError`. Any other error is logged and becomes `internal`. */
export function errorBodyOf(error: unknown, logger: Logger, doing: string): ErrorBody {
  if (error instanceof RookeryError) return error.toBody()
  logger.error({ err: error, doing }, 'a request failed unexpectedly')
  return new RookeryError('internal', 'something went wrong here; it has been logged').toBody()
}
