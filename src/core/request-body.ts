/** Reads the body of an HTTP request, within a limit. */

/**
 * This much of a body that is too large is read and dropped, so that the sender gets an error, not a broken
 * pipe.
 */
const DROPPED_MAX_BYTES = 8_388_608

/**
 * Counts the bytes itself: Hono's body limit wraps the request in a new global `Request`, which fails with
 * the requests of the Node adapter unless that replaces the globals.
 * @returns `undefined` if it is longer than `maxBytes`
 */
export async function readBody(request: Request, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes <= maxBytes) chunks.push(chunk)
    if (bytes > maxBytes + DROPPED_MAX_BYTES) break
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks, bytes).toString('utf8')
}

/** Whether a `content-type` header says JSON. */
export function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json'
}
