/** `compare`: runs a scenario against two targets in turn, A B A B …, and compares them pair by pair. */

import type { Dialect } from '../model/plan.ts'
import type { Scenario } from '../model/scenario.ts'
import { type Comparison, DOCUMENT_VERSION, type Side } from '../report/compare/comparison.ts'
import { Interrupted, UsageError } from '../run/exit-codes.ts'
import { scenarioNamed, targetNamed } from '../run/request/names.ts'
import type { RunFlags, RunRequest } from '../run/request/request.ts'
import { runScenario } from '../run/run-scenario.ts'
import { toolNow } from '../system/machine.ts'
import { type CommandContext, withCommandContext } from './command-context.ts'
import { argumentsOfComparison, CompareFlags } from './compare-flags.ts'
import type { Flags } from './flags.ts'
import { outputFrom, parseFlags, runFlagsFrom } from './flags.ts'
import { writeResult } from './output.ts'
import { randomSeed, requestFor } from './run.ts'

interface Runner {
  label: string
  /** With the seed of its pair. */
  request: (seed: number) => RunRequest
}

/** @returns the exit code */
export async function compare(name: string, flags: Flags): Promise<number> {
  const output = outputFrom(flags)
  const scenario = scenarioNamed(name)
  const own = parseFlags(CompareFlags, flags)
  const runFlags = runFlagsFrom(flags, Object.keys(CompareFlags.shape))
  if (runFlags.target !== undefined || runFlags.url !== undefined)
    throw new UsageError('compare takes --a and --b, not --target or --url')
  const seed = runFlags.seed ?? randomSeed()
  const { sides, beside } = runnersOf(scenario, runFlags, own)
  const startedAt = new Date().toISOString()
  const done = await withCommandContext((context) =>
    runInTurns([...sides, ...beside], { pairs: own.pairs, seed }, context),
  )
  const document: Comparison = {
    document: 'comparison',
    version: DOCUMENT_VERSION,
    tool: await toolNow(),
    startedAt,
    arguments: argumentsOfComparison(runFlags, own, sides[0]?.request(seed)),
    interrupted: done.interrupted,
    sides: done.sides.slice(0, sides.length),
    beside: done.sides.slice(sides.length),
  }
  return writeResult(document, output)
}

function runnersOf(
  scenario: Scenario,
  runFlags: RunFlags,
  own: CompareFlags,
): { sides: Runner[]; beside: Runner[] } {
  const dialect = runFlags.dialect ?? sharedDialect(own)
  const side = (target: string, env: string[] | undefined): Runner => ({
    label: own.a === own.b ? [target, ...(env ?? [])].join(' ') : target,
    request: (seed) =>
      requestFor(
        scenario,
        { ...runFlags, target, dialect, env: [...(runFlags.env ?? []), ...(env ?? [])] },
        seed,
      ),
  })
  const beside = own.beside
  const runners = {
    sides: [side(own.a, own.aEnv), side(own.b, own.bEnv)],
    beside:
      beside === undefined
        ? []
        : [
            {
              label: `${beside} (chat)`,
              request: (seed: number) =>
                requestFor(scenario, { ...runFlags, target: beside, dialect: 'chat' }, seed),
            },
          ],
  }
  // Invalid requests fail before the first run.
  for (const runner of [...runners.sides, ...runners.beside]) runner.request(0)
  const [a, b] = runners.sides
  if (a?.label === b?.label)
    throw new UsageError('--a and --b are the same; use --a-env or --b-env to make them differ')
  return runners
}

/** The first dialect that both support: only runs of one dialect are comparable. */
function sharedDialect({ a, b }: CompareFlags): Dialect {
  const others = targetNamed(b).dialects
  const shared = targetNamed(a).dialects.find((dialect) => others.includes(dialect))
  if (shared === undefined)
    throw new UsageError(`${a} and ${b} have no dialect in common: they can be run, but not compared`)
  return shared
}

/** Both runs of a pair have the same seed. */
async function runInTurns(
  runners: readonly Runner[],
  { pairs, seed }: { pairs: number; seed: number },
  context: CommandContext,
): Promise<{ sides: Side[]; interrupted: boolean }> {
  const sides: Side[] = runners.map(({ label }) => ({ label, results: [] }))
  for (let pair = 0; pair < pairs; pair += 1) {
    for (const [place, { label, request }] of runners.entries()) {
      if (context.stop.aborted) return { sides, interrupted: true }
      context.note(`${pair + 1} of ${pairs}: ${label}`)
      const runRequest = request((seed + pair) % 2 ** 31)
      try {
        sides[place]?.results.push(
          await runScenario(runRequest, context.observer(runRequest.settings.clients)),
        )
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
      }
    }
  }
  return { sides, interrupted: context.stop.aborted }
}
