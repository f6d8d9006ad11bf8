/** Exit codes. The table in README.md repeats them. */
export const EXIT_CODES = {
  passed: { code: 0, meaning: 'the verdict and all checks passed' },
  failed: { code: 1, meaning: 'the verdict or a check failed' },
  usage: { code: 2, meaning: 'the command line is not valid' },
  invalid: { code: 3, meaning: 'the run is invalid or could not be made: its figures must not be used' },
  interrupted: { code: 130, meaning: 'interrupted; the report covers the time until then' },
} as const

/** The request can't be fulfilled; the message says why and what can. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Ended by the user before there was anything to report. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}
