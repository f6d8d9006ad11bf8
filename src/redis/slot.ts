/**
 * The slot of a channel or key in Redis Cluster. Pure.
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
const SLOTS = 16_384
/** CRC-16/XMODEM. */
const POLYNOMIAL = 0x1021

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL
  return crc & 0xffff
})

export function slotOf(key: string): number {
  let crc = 0
  for (const byte of Buffer.from(hashedPart(key)))
    crc = ((crc << 8) ^ (table[(crc >> 8) ^ byte] ?? 0)) & 0xffff
  return crc % SLOTS
}

/** The text in the first pair of braces, if it is not empty. */
function hashedPart(key: string): string {
  const from = key.indexOf('{')
  const to = from < 0 ? -1 : key.indexOf('}', from + 1)
  return to > from + 1 ? key.slice(from + 1, to) : key
}
