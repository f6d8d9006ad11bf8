/** Message ids: 128 random bits in characters that the protocol allows. */
const BYTES = 16

/** `crypto.randomUUID` needs a secure context, which a plain HTTP address in a local network is not. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
