/** Turns errors into the error bodies that clients get. Never reveals internals of the server. */
import type { Logger } from 'pino'
import type { ErrorBody } from '../wire/errors.ts'
import { RookeryError } from '../wire/errors.ts'

/** The body of a `RookeryError`. Any other error is logged and becomes `internal`. */
export function errorBodyOf(error: unknown, logger: Logger, doing: string): ErrorBody {
  if (error instanceof RookeryError) return error.toBody()
  logger.error({ err: error, doing }, 'a request failed unexpectedly')
  return new RookeryError('internal', 'something went wrong here; it has been logged').toBody()
}
