/**
 * Random streams derived from a run's seed by name, so an extra draw in one place changes nothing in another.
 * Pure.
 */
import { createHash } from 'node:crypto'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/** From 0 to less than 1. */
export type Random = () => number

/** The same names give the same stream. */
export function randomOf(seed: number, ...names: readonly (string | number)[]): Random {
  const digest = createHash('sha256')
    .update([seed, ...names].join('/'))
    .digest()
  const state = [0, 4, 8, 12].map((at) => digest.readInt32LE(at))
  const generator = xoroshiro128plusFromState(state)
  return () => uniformFloat64(generator)
}

/** A whole number from 0 to less than `count`. */
export function below(count: number, random: Random): number {
  return Math.min(count - 1, Math.floor(random() * count))
}

/** In random order; all orders are equally likely. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = below(last + 1, random)
    const [a, b] = [order[last], order[other]]
    if (a === undefined || b === undefined) continue
    order[last] = b
    order[other] = a
  }
  return order
}
