/** How the tool ends, for scripts. The table in README.md says the same. */
export const EXIT_CODES = {
  passed: { code: 0, meaning: 'the verdict and all checks passed' },
  failed: { code: 1, meaning: 'the verdict or a check failed' },
  usage: { code: 2, meaning: 'the command line can’t be done as it stands' },
  invalid: { code: 3, meaning: 'the run is invalid, or could not be made: its figures say nothing' },
  interrupted: { code: 130, meaning: 'interrupted; the report is of what was done until then' },
} as const

/** What was asked for can't be done, and the message says why and what can. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Ended by a person before there was anything to report. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}
