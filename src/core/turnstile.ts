/** Lets so many through at a time; the others wait, in the order of their coming, and past a bound are turned away. */
export class Turnstile {
  readonly #inside: number
  readonly #waiting: number
  readonly #queue: (() => void)[] = []
  #count = 0

  constructor(limits: { inside: number; waiting: number }) {
    this.#inside = limits.inside
    this.#waiting = limits.waiting
  }

  /** Those who wait. */
  get length(): number {
    return this.#queue.length
  }

  get isFull(): boolean {
    return this.#count >= this.#inside && this.#queue.length >= this.#waiting
  }

  /** Rejects when it is full. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.isFull) throw new Error(`${this.#waiting} are waiting already`)
    if (this.#count >= this.#inside) await new Promise<void>((resolve) => this.#queue.push(resolve))
    else this.#count += 1
    try {
      return await work()
    } finally {
      const next = this.#queue.shift()
      if (next === undefined) this.#count -= 1
      else next()
    }
  }
}
