/**
 * Standard output as the log's destination. The process survives its failure (a full disk, a closed terminal,
 * a reader that is gone): lines that can't be written are kept up to a limit and tried again with the next
 * line. Lines past the limit are dropped and counted.
 */
import { Writable } from 'node:stream'
import { type DestinationStream, destination } from 'pino'
import { Counter, type Registry } from 'prom-client'

const KEPT_BYTES = 1_048_576

/** Global: a process has one standard output. */
const losses = { errors: 0, lines: 0 }

/** Has only `write`: pino would call `flushSync` too, which throws on a failed destination. */
export function standardOutput(): DestinationStream {
  const output = destination({ dest: 1, sync: true, maxLength: KEPT_BYTES })
  let last: unknown
  let isClosed = false
  output.on('error', (error: unknown) => {
    // pino emits its first error twice.
    if (error !== last) losses.errors += 1
    last = error
    // After EPIPE pino's destination silently drops all lines.
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

/** For pino-pretty, which takes only streams. */
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
  show('rookery_log_lines_dropped_total', 'Dropped lines of the log', () => losses.lines)
}
