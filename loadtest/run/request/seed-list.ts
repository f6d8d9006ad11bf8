/** Parses `--seeds`: `1..20`, `3,17`, or `regression` for those that once found a defect. Pure. */
import type { Scenario } from '../../model/scenario.ts'
import { UsageError } from '../exit-codes.ts'

/** Runs of one command. */
const MAX_SEEDS = 1_000
const LARGEST_SEED = 2 ** 31 - 1

/** @throws UsageError */
export function seedsFrom(words: string, { name, regressionSeeds }: Scenario): number[] {
  if (words === 'regression') {
    if (regressionSeeds === undefined || regressionSeeds.length === 0)
      throw new UsageError(`${name} has no seeds that found a defect`)
    return [...regressionSeeds]
  }
  const seeds = [...new Set(words.split(',').flatMap(rangeOf))]
  if (seeds.length > MAX_SEEDS) throw new UsageError(`--seeds: ${MAX_SEEDS} at most, not ${seeds.length}`)
  return seeds
}

function rangeOf(word: string): number[] {
  const [, first, last = first] = /^(\d{1,10})(?:\.\.(\d{1,10}))?$/.exec(word.trim()) ?? []
  const [from, to] = [Number(first), Number(last)]
  if (first === undefined || to < from || to > LARGEST_SEED)
    throw new UsageError(`--seeds: 1..20, 3,17 or regression, not '${word}'`)
  const count = Math.min(to - from + 1, MAX_SEEDS + 1)
  return Array.from({ length: count }, (_, nth) => from + nth)
}
