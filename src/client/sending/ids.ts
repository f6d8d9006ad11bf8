/** Ids of messages: 128 random bits, in characters that the protocol allows. */
const BYTES = 16

/** `crypto.randomUUID` is for secure contexts only; a chat on a plain address of the local network is none. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
