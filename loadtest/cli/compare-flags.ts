/** The options of a comparison by flag name, so that it can be repeated. Pure. */
import { z } from 'zod'
import type { Comparison } from '../report/compare/comparison.ts'
import { argumentsOf, type RunFlags, type RunRequest } from '../run/request/request.ts'

const MAX_PAIRS = 50

const settings = z.array(z.string()).optional()
export const CompareFlags = z.object({
  a: z.string(),
  b: z.string(),
  beside: z.string().optional(),
  pairs: z.coerce.number().pipe(z.int().min(1).max(MAX_PAIRS)),
  aEnv: settings,
  bEnv: settings,
})
export type CompareFlags = z.infer<typeof CompareFlags>

/**
 * Includes the scenario's defaults. The shape is included only if it was given: each target has its own
 * default.
 * @param first the first run of A
 */
export function argumentsOfComparison(
  runFlags: RunFlags,
  { a, b, beside, pairs, aEnv, bEnv }: CompareFlags,
  first: RunRequest | undefined,
): Comparison['arguments'] {
  const { target: _, hosts, workers, env: _env, ...common } = first === undefined ? {} : argumentsOf(first)
  const seed = first === undefined ? {} : { seed: first.settings.seed }
  return {
    a,
    b,
    pairs,
    ...given('beside', beside),
    ...given('aEnv', aEnv?.join(',')),
    ...given('bEnv', bEnv?.join(',')),
    ...given('hosts', runFlags.hosts === undefined ? undefined : hosts),
    ...given('workers', runFlags.workers === undefined ? undefined : workers),
    ...given('env', runFlags.env?.join(',')),
    ...common,
    ...seed,
  }
}

const given = <T>(name: string, value: T | undefined): Record<string, T> =>
  value === undefined ? {} : { [name]: value }
