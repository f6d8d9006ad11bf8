/** Turns whatever a request ran into into the error that its caller is given. Never tells of the inside of the server. */
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { ErrorBody } from '../../wire/errors.ts'
import { RookeryError } from '../../wire/errors.ts'

/** Parses what a client sent. @throws `bad_request` that names the first thing wrong with it, never its content. */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where = issue?.path.map(String).join('.') || 'payload'
  throw new RookeryError('bad_request', `${where}: ${issue?.message ?? 'not as the protocol has it'}`)
}

/** The body of an error that was meant for the caller; anything else is logged and becomes `internal`. */
export function failureBody(error: unknown, logger: Logger, doing: string): ErrorBody {
  if (error instanceof RookeryError) return error.toBody()
  logger.error({ err: error, doing }, 'a request failed unexpectedly')
  return new RookeryError('internal', 'something went wrong here; it has been logged').toBody()
}
