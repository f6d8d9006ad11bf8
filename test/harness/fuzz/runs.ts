/**
 * How every fuzz runs: a fixed seed, a bounded number of runs, and a failure that prints what it takes to see it again.
 * `FUZZ_SEED` sets another seed, `FUZZ_FACTOR` makes it run so many times as long.
 */
import * as fc from 'fast-check'
import { sized } from '../long-run.ts'

export const fuzzSeed = Number(process.env['FUZZ_SEED'] ?? 20_260_731)
const factor = Number(process.env['FUZZ_FACTOR'] ?? sized(1, 10))

const runs = (count: number) => Math.ceil(count * factor)

/** Pure code: a failure is shrunk. */
export function fuzz<T>(values: fc.Arbitrary<T>, count: number, check: (value: T) => void): void {
  fc.assert(fc.property(values, check), { numRuns: runs(count), seed: fuzzSeed })
}

/**
 * Running processes: the first failure is the last run, for what was done to them before is part of it.
 * Runs are made one after the other.
 */
export async function fuzzLive<T>(
  values: fc.Arbitrary<T>,
  count: number,
  check: (value: T) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(values, check), {
    numRuns: runs(count),
    seed: fuzzSeed,
    endOnFailure: true,
  })
}
