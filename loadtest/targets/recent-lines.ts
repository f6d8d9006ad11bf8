/** The last lines of a server's output, bounded. */
const MOST = 60
const LONGEST = 2_000

export class RecentLines {
  #lines: string[] = []

  add(line: string): void {
    this.#lines.push(line.slice(0, LONGEST))
    if (this.#lines.length > 2 * MOST) this.#lines = this.#lines.slice(-MOST)
  }

  toString(): string {
    return this.#lines.slice(-MOST).join('\n')
  }
}
