/** A growing list of numbers with eight bytes each: a run records millions. */
const INITIAL_CAPACITY = 16

export class NumberList {
  #values: Float64Array<ArrayBuffer> = new Float64Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = new Float64Array(Math.max(INITIAL_CAPACITY, this.#length * 2))
      wider.set(this.#values)
      this.#values = wider
    }
    this.#values[this.#length] = value
    this.#length += 1
  }

  set(place: number, value: number): void {
    if (place < this.#length) this.#values[place] = value
  }

  toArray(): Float64Array<ArrayBuffer> {
    return this.#values.slice(0, this.#length)
  }
}
