/** Collects one answer from each client process, and resolves with the last. */
export class Barrier<T> {
  readonly all: Promise<T[]>
  readonly #answers = new Map<number, T>()
  readonly #count: number
  #complete: (answers: T[]) => void = () => undefined

  constructor(count: number) {
    this.#count = count
    this.all = new Promise((resolve) => {
      this.#complete = resolve
    })
  }

  arrive(agent: number, answer: T): void {
    this.#answers.set(agent, answer)
    if (this.#answers.size === this.#count) this.#complete([...this.#answers.values()])
  }
}
