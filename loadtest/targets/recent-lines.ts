/** The last lines of a server's output, bounded. */
const MAX_LINES = 60
const MAX_LINE_LENGTH = 2_000

export class RecentLines {
  #lines: string[] = []

  add(line: string): void {
    this.#lines.push(line.slice(0, MAX_LINE_LENGTH))
    if (this.#lines.length > 2 * MAX_LINES) this.#lines = this.#lines.slice(-MAX_LINES)
  }

  toString(): string {
    return this.#lines.slice(-MAX_LINES).join('\n')
  }
}
