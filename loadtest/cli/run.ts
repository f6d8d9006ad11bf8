/** `run`: one scenario, or the search for its limit. */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { HTTP_SCENARIOS } from '../http/scenarios.ts'
import type { Scenario } from '../model/scenario.ts'
import { UsageError } from '../run/exit-codes.ts'
import { findLimit } from '../run/limit/find-limit.ts'
import { named, targetNamed } from '../run/request/names.ts'
import { type FlagDefaults, type RunFlags, type RunRequest, requestOf } from '../run/request/request.ts'
import { runScenario } from '../run/run-scenario.ts'
import { SCENARIOS } from '../scenarios/index.ts'
import { withCommandContext } from './command-context.ts'
import type { Flags } from './flags.ts'
import { askedFrom, checked, outputFrom } from './flags.ts'
import { put } from './output.ts'
import { runSeeds } from './run-seeds.ts'

const Limit = z.object({
  findLimit: z.literal(true).optional(),
  p99: z.coerce.number().pipe(z.number().positive()).optional(),
})
const Many = z.object({ seeds: z.string().min(1).optional() })
const OTHERS = ['findLimit', 'p99', 'apiKey', 'seeds'] as const
const DEFAULT_P99_MS = 100

/** @returns the exit code */
export async function run(name: string, flags: Flags): Promise<number> {
  const scenario = named('scenario', [...SCENARIOS, ...HTTP_SCENARIOS], name)
  if (!('plan' in scenario)) {
    const { runHttp } = await import('./run-http.ts')
    return runHttp(scenario, flags)
  }
  const output = outputFrom(flags)
  const limit = checked(Limit, flags)
  if (flags['apiKey'] !== undefined) throw new UsageError('--api-key is for http-history and http-publish')
  const { seeds } = checked(Many, flags)
  if (seeds !== undefined) {
    if (limit.findLimit === true) throw new UsageError('--find-limit or --seeds, not both')
    const asked = askedFrom(flags, [...OTHERS])
    return runSeeds({ scenario, seeds, asked, output, requested: (seed) => requested(scenario, asked, seed) })
  }
  if (limit.p99 !== undefined && limit.findLimit !== true)
    throw new UsageError('--p99 goes with --find-limit')
  const request = requested(scenario, askedFrom(flags, [...OTHERS]))
  const result = await withCommandContext((context) => {
    const observer = context.observer(request.settings.clients)
    return limit.findLimit === true
      ? findLimit(request, limit.p99 ?? DEFAULT_P99_MS, observer)
      : runScenario(request, observer)
  })
  return put(result, output)
}

/** The default target is the one at `--url`, else this project. */
export function requested(scenario: Scenario, asked: RunFlags, seed = drawnSeed()): RunRequest {
  const target = asked.target ?? (asked.url === undefined ? 'rookery' : 'url')
  return requestOf(scenario, targetNamed(target), asked, given(seed))
}

export const drawnSeed = (): number => randomInt(2 ** 31)

const given = (seed: number): FlagDefaults => ({ seed, agents: availableParallelism() })
