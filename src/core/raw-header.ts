/** Finds one header in the bytes of a request head, which may be incomplete or malformed. Pure. */

/**
 * @param bytes from the beginning of the request
 * @returns the first value of that name whose line is complete, without spaces around it
 */
export function rawHeader(bytes: Buffer, name: string): string | undefined {
  const end = bytes.indexOf('\r\n\r\n', 0, 'latin1')
  const lines = bytes.toString('latin1', 0, end === -1 ? bytes.length : end + 2).split('\r\n')
  const prefix = `${name.toLowerCase()}:`
  // The first is the request line, and what follows the last line end is not complete.
  const line = lines.slice(1, -1).find((candidate) => candidate.toLowerCase().startsWith(prefix))
  return line?.slice(prefix.length).trim()
}
