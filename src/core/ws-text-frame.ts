/**
 * The WebSocket frame of a text message from a server: final, unmasked, uncompressed (RFC 6455, 5.2). It is
 * one buffer: two would cost a vectored write for each receiver.
 */
export function textFrame(text: string): Buffer {
  const payloadBytes = Buffer.byteLength(text)
  const header = frameHeader(payloadBytes)
  const frame = Buffer.allocUnsafe(header.byteLength + payloadBytes)
  header.copy(frame)
  frame.write(text, header.byteLength)
  return frame
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
