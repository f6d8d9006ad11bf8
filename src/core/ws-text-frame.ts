/**
 * The WebSocket frame of a text message from a server: final, unmasked, uncompressed (RFC 6455, 5.2).
 * @returns header and payload, to be written one after the other
 */
export function textFrame(payload: Buffer): [Buffer, Buffer] {
  return [frameHeader(payload.byteLength), payload]
}

const FINAL_TEXT = 0x81

function frameHeader(length: number): Buffer {
  if (length < 126) return Buffer.from([FINAL_TEXT, length])
  if (length < 65_536) {
    const header = Buffer.from([FINAL_TEXT, 126, 0, 0])
    header.writeUInt16BE(length, 2)
    return header
  }
  const header = Buffer.alloc(10)
  header[0] = FINAL_TEXT
  header[1] = 127
  header.writeBigUInt64BE(BigInt(length), 2)
  return header
}
