/**
 * The standard output as the log's destination. Whatever becomes of it (a full disk, a closed terminal, a reader that is
 * gone), the process lives: what could not be written is kept up to a bound and tried again with the next line, and what
 * goes beyond that is dropped and counted.
 */
import { Writable } from 'node:stream'
import { type DestinationStream, destination } from 'pino'
import { Counter, type Registry } from 'prom-client'

const KEPT_BYTES = 1_048_576

/** Of this process: it has one standard output. */
const losses = { errors: 0, lines: 0 }

/** Offers `write` alone: pino would call `flushSync` too, which throws on such a destination. */
export function standardOutput(): DestinationStream {
  const output = destination({ dest: 1, sync: true, maxLength: KEPT_BYTES })
  let last: unknown
  let isClosed = false
  output.on('error', (error: unknown) => {
    // pino emits the first of its errors twice.
    if (error !== last) losses.errors += 1
    last = error
    // After this one pino's destination takes no line any more, and says nothing of it.
    isClosed ||= error instanceof Error && 'code' in error && error.code === 'EPIPE'
  })
  output.on('drop', () => {
    losses.lines += 1
  })
  const write = (line: string) => {
    if (isClosed) losses.lines += 1
    else output.write(line)
  }
  return { write }
}

/** The same for pino-pretty, which takes a stream alone. */
export function asStream(output: DestinationStream): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      output.write(String(chunk))
      done()
    },
  })
}

export function observeLogOutput(registry: Registry): void {
  const registers = [registry]
  const show = (name: string, help: string, read: () => number) => {
    const counter: Counter = new Counter({
      name,
      help,
      registers,
      collect: () => {
        counter.reset()
        counter.inc(read())
      },
    })
  }
  show('rookery_log_write_errors_total', 'Failed writes of the log', () => losses.errors)
  show('rookery_log_lines_dropped_total', 'Lines of the log that were dropped', () => losses.lines)
}
