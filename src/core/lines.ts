/** Splits bytes at line feeds, and at no other line separator. */

export class LineTooLong extends Error {
  constructor(maxBytes: number) {
    super(`a line is longer than ${maxBytes} bytes`)
  }
}

const LINE_FEED = 0x0a

/**
 * @returns the lines without line feeds, and the rest after the last line feed, if any. Rejects with
 * `LineTooLong`.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  let begunBytes = 0
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, at)])
      begun = []
      begunBytes = 0
      from = at + 1
    }
    if (from === chunk.length) continue
    begun.push(chunk.subarray(from))
    begunBytes += chunk.length - from
    if (begunBytes > maxBytes) throw new LineTooLong(maxBytes)
  }
  if (begunBytes > 0) yield Buffer.concat(begun)
}
