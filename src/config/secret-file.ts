/** Secrets in files of their own, as containers and service managers provide them: `JWT_SECRET_FILE=/run/secrets/jwt`. */

/** @throws what `readFileSync` throws */
export type ReadFile = (path: string) => string

/** No secret is that long. */
const MAX_CHARS = 65_536

/** The content of the file, without a line break at its end. */
export function readSecret(path: string, readFile: ReadFile): { text: string } | { problem: string } {
  let text: string
  try {
    text = readFile(path).replace(/\r?\n$/, '')
  } catch (error) {
    return { problem: `can't be read: ${error instanceof Error ? error.message : String(error)}` }
  }
  if (text === '') return { problem: 'the file is empty' }
  return text.length > MAX_CHARS ? { problem: `the file has more than ${MAX_CHARS} characters` } : { text }
}
