/**
 * Publications whose parts are still arriving, at most one of each sender: who gets the rest. A worker that
 * subscribes in between gets nothing of it. Pure.
 */
export interface OpenPublication {
  /** Bytes that are still to come. */
  rest: number
  /** Workers that it was published to. */
  addressed: readonly string[]
  /** Those of them that have got all parts until now. */
  receiving: Set<string>
}

export class OpenPublications {
  readonly #open = new Map<string, OpenPublication>()

  has(from: string): boolean {
    return this.#open.has(from)
  }

  /** With a `rest` of 0 there is nothing to wait for. */
  begin(from: string, publication: OpenPublication): void {
    if (publication.rest > 0) this.#open.set(from, publication)
  }

  /** @returns its publication, `undefined` if none is open or the part is longer than what is missing */
  part(from: string, bytes: number): OpenPublication | undefined {
    const open = this.#open.get(from)
    if (open === undefined || bytes > open.rest) return undefined
    open.rest -= bytes
    if (open.rest === 0) this.#open.delete(from)
    return open
  }

  /** The rest does not come. @returns the workers that wait for it */
  abandon(from: string): Iterable<string> {
    const open = this.#open.get(from)
    this.#open.delete(from)
    return open?.receiving ?? []
  }
}
