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
import { outputFrom, parseFlags, runFlagsFrom } from './flags.ts'
import { writeResult } from './output.ts'
import { runSeeds } from './run-seeds.ts'

const LimitFlags = z.object({
  findLimit: z.literal(true).optional(),
  p99: z.coerce.number().pipe(z.number().positive()).optional(),
})
const SeedsFlags = z.object({ seeds: z.string().min(1).optional() })
const OTHER_FLAGS = ['findLimit', 'p99', 'apiKey', 'seeds'] as const
const DEFAULT_P99_MS = 100

/** @returns the exit code */
export async function run(name: string, flags: Flags): Promise<number> {
  const scenario = named('scenario', [...SCENARIOS, ...HTTP_SCENARIOS], name)
  if (!('plan' in scenario)) {
    const { runHttp } = await import('./run-http.ts')
    return runHttp(scenario, flags)
  }
  const output = outputFrom(flags)
  const limit = parseFlags(LimitFlags, flags)
  if (flags['apiKey'] !== undefined) throw new UsageError('--api-key is for http-history and http-publish')
  const { seeds } = parseFlags(SeedsFlags, flags)
  if (seeds !== undefined) {
    if (limit.findLimit === true) throw new UsageError('--find-limit or --seeds, not both')
    const runFlags = runFlagsFrom(flags, [...OTHER_FLAGS])
    return runSeeds({
      scenario,
      seeds,
      runFlags,
      output,
      requestFor: (seed) => requestFor(scenario, runFlags, seed),
    })
  }
  if (limit.p99 !== undefined && limit.findLimit !== true)
    throw new UsageError('--p99 goes with --find-limit')
  const request = requestFor(scenario, runFlagsFrom(flags, [...OTHER_FLAGS]))
  const result = await withCommandContext((context) => {
    const observer = context.observer(request.settings.clients)
    return limit.findLimit === true
      ? findLimit(request, limit.p99 ?? DEFAULT_P99_MS, observer)
      : runScenario(request, observer)
  })
  return writeResult(result, output)
}

/** The default target is the one at `--url`, else this project. */
export function requestFor(scenario: Scenario, runFlags: RunFlags, seed = randomSeed()): RunRequest {
  const target = runFlags.target ?? (runFlags.url === undefined ? 'rookery' : 'url')
  return requestOf(scenario, targetNamed(target), runFlags, defaultsFor(seed))
}

export const randomSeed = (): number => randomInt(2 ** 31)

const defaultsFor = (seed: number): FlagDefaults => ({ seed, agents: availableParallelism() })
