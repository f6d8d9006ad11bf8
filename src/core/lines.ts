/** Cuts bytes at line feeds, and at nothing else that may pass for the end of a line. */

export class LineTooLong extends Error {
  constructor(maxBytes: number) {
    super(`a line is longer than ${maxBytes} bytes`)
  }
}

const LINE_FEED = 0x0a

/** The lines, without their line feeds; what follows the last one too, if there is any. Rejects with `LineTooLong`. */
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
