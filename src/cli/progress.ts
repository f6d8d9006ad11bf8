/** How far a command has got, on standard error. */
import type { Writable } from 'node:stream'
import { countOf } from '../core/count-of.ts'
import type { TransferCounts } from '../log/transfer/lines.ts'

const PROGRESS_MS = 1_000

/** Reports progress on standard error once a second, and the result at the end. */
export class Progress<C extends object> {
  readonly #verb: string
  readonly #describe: (counts: Readonly<C>) => string
  #shownAtMs = performance.now()

  constructor(verb: string, describe: (counts: Readonly<C>) => string) {
    this.#verb = verb
    this.#describe = describe
  }

  show(counts: Readonly<C>): void {
    const nowMs = performance.now()
    if (nowMs - this.#shownAtMs < PROGRESS_MS) return
    this.#shownAtMs = nowMs
    process.stderr.write(`${this.#verb} ${this.#describe(counts)} so far\n`)
  }

  /** @param json where to write the counts as JSON; null: a sentence on standard error instead */
  done(counts: C, json: Writable | null): void {
    if (json === null) process.stderr.write(`${this.#verb} ${this.#describe(counts)}\n`)
    else json.write(`${JSON.stringify(counts)}\n`)
  }
}

export const describeTransfer = ({ rooms, entries, users }: TransferCounts) =>
  `${countOf(entries, 'entry', 'entries')} of ${countOf(rooms, 'room')}, and the rooms of ${countOf(users, 'user')}`
