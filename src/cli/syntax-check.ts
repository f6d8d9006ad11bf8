/**
 * Finds the place of a syntax error. Node.js (20 to 26) does not say in which file it is when a module is
 * imported, and says so when it checks the file alone. TypeScript's errors have their place.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'

const run = promisify(execFile)
const TIMEOUT_MS = 10_000
const MAX_BYTES = 1_048_576
const MAX_FILES = 10
const STACK = /\n {4}at [\s\S]*$/

const failure = z.object({ stderr: z.string() })

/** @returns the first error with file, line and code, or undefined */
export async function findSyntaxError(files: readonly string[]): Promise<string | undefined> {
  const scripts = files.filter((file) => /\.[cm]?js$/.test(file)).slice(0, MAX_FILES)
  for (const file of scripts) {
    const found = await syntaxErrorOf(file)
    if (found !== undefined) return found
  }
  return undefined
}

async function syntaxErrorOf(file: string): Promise<string | undefined> {
  try {
    await run(process.execPath, ['--check', file], { timeout: TIMEOUT_MS, maxBuffer: MAX_BYTES })
    return undefined
  } catch (error) {
    const stderr = failure.safeParse(error).data?.stderr ?? ''
    return stderr.includes('SyntaxError') ? stderr.replace(STACK, '').trim() : undefined
  }
}
