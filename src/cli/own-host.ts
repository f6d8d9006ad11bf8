/** What commands need to reach the Rookery of this machine. */
import { ExitError } from '../ops/exit-codes.ts'

/** Why a `fetch` failed: its own message is only "fetch failed". */
export function fetchFailure(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

/** @throws ExitError `notPermitted` */
export function permitted<T>(dataDir: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'EPERM' && code !== 'EACCES') throw error
    const message = `the Rookery on DATA_DIR ${dataDir} belongs to another user: run this as that user, or as root`
    throw new ExitError('notPermitted', message, { cause: error })
  }
}
