/**
 * How every fuzz runs: a fixed seed, a bounded number of runs, and a failure that prints how to reproduce it.
 * `FUZZ_SEED` sets another seed, `FUZZ_FACTOR` multiplies the number of runs.
 */
import * as fc from 'fast-check'
import { sized } from '../long-run.ts'

export const fuzzSeed = Number(process.env['FUZZ_SEED'] ?? 20_260_731)
const factor = Number(process.env['FUZZ_FACTOR'] ?? sized(1, 10))

const runs = (count: number) => Math.ceil(count * factor)

/** For pure code: a failure is shrunk. */
export function fuzz<T>(values: fc.Arbitrary<T>, count: number, check: (value: T) => void): void {
  fc.assert(fc.property(values, check), { numRuns: runs(count), seed: fuzzSeed })
}

/**
 * For running processes: runs follow one another and the first failure ends them. It is not shrunk, because
 * the earlier runs may be part of its cause.
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
