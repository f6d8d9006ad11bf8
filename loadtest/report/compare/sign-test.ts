/** A sign test: how often chance alone would make pairs differ the same way. Pure. */

export interface SignCounts {
  higher: number
  lower: number
  /** Equal pairs say nothing. */
  equal: number
}

export function countSigns(differences: readonly number[]): SignCounts {
  return {
    higher: differences.filter((difference) => difference > 0).length,
    lower: differences.filter((difference) => difference < 0).length,
    equal: differences.filter((difference) => difference === 0).length,
  }
}

/** Two-sided and exact: 1 without any differing pair, 1/16 if five pairs differ the same way. */
export function chanceOf({ higher, lower }: SignCounts): number {
  const pairs = higher + lower
  const fewer = Math.min(higher, lower)
  let ways = 1
  let sum = 0
  for (let count = 0; count <= fewer; count += 1) {
    sum += ways
    ways = (ways * (pairs - count)) / (count + 1)
  }
  return Math.min(1, (2 * sum) / 2 ** pairs)
}
