/** `run --seeds`: runs one scenario with one seed after the other, with a line for each and totals. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { Scenario } from '../model/scenario.ts'
import { RESULTS_DIRECTORY, writeReport } from '../report/files.ts'
import {
  lineOf,
  noRun,
  SEEDS_VERSION,
  type SeedRun,
  type Seeds,
  seedRunOf,
  totalLines,
  totalOf,
} from '../report/seeds.ts'
import { EXIT_CODES, Interrupted, UsageError } from '../run/exit-codes.ts'
import { argumentsOf, type RunFlags, type RunRequest } from '../run/request/request.ts'
import { seedsFrom } from '../run/request/seed-list.ts'
import { runScenario } from '../run/run-scenario.ts'
import { toolNow } from '../system/machine.ts'
import { type CommandContext, withCommandContext } from './command-context.ts'
import type { Output } from './flags.ts'

export interface SeedsRequest {
  scenario: Scenario
  /** The value of `--seeds`. */
  seeds: string
  runFlags: RunFlags
  output: Output
  requestFor: (seed: number) => RunRequest
}

/** @returns the exit code */
export async function runSeeds({
  scenario,
  seeds: words,
  runFlags,
  output,
  requestFor,
}: SeedsRequest): Promise<number> {
  if (runFlags.seed !== undefined) throw new UsageError('--seed or --seeds, not both')
  const requests = seedsFrom(words, scenario).map(requestFor)
  const [first] = requests
  if (first === undefined) throw new UsageError('--seeds names none')
  const startedAt = new Date().toISOString()
  const directory = resolve(output.out ?? join(RESULTS_DIRECTORY, nameOf(startedAt, first)))
  await mkdir(directory, { recursive: true })
  const outputTarget: OutputTarget = { directory, output }
  const { runs, interrupted } = await withCommandContext((context) => runAll(requests, outputTarget, context))
  const document: Seeds = {
    document: 'seeds',
    version: SEEDS_VERSION,
    tool: await toolNow(),
    startedAt,
    scenario: scenario.name,
    target: { name: first.target.name, ...first.settings.shape },
    arguments: { ...argumentsOf(first), seeds: words },
    runs,
    totals: totalOf(runs),
    interrupted,
  }
  await writeSeeds(document, outputTarget)
  return exitCodeOf(document)
}

interface OutputTarget {
  directory: string
  output: Output
}

const nameOf = (startedAt: string, { scenario, target }: RunRequest): string =>
  `${startedAt.slice(0, 19).replaceAll(':', '')}-${scenario.name}-${target.name}-seeds`

async function runAll(
  requests: readonly RunRequest[],
  outputTarget: OutputTarget,
  context: CommandContext,
): Promise<{ runs: SeedRun[]; interrupted: boolean }> {
  const runs: SeedRun[] = []
  for (const request of requests) {
    context.note(`seed ${request.settings.seed}: ${runs.length + 1} of ${requests.length}`)
    const run = await runOne(request, outputTarget, context)
    if (run !== undefined) {
      runs.push(run)
      if (outputTarget.output.json !== true) process.stdout.write(`${lineOf(run)}\n`)
    }
    if (context.stop.aborted) return { runs, interrupted: true }
  }
  return { runs, interrupted: false }
}

/** @returns undefined if it was interrupted before there was anything to report */
async function runOne(
  request: RunRequest,
  outputTarget: OutputTarget,
  context: CommandContext,
): Promise<SeedRun | undefined> {
  const { seed, clients } = request.settings
  try {
    const result = await runScenario(request, context.observer(clients))
    const directory = join(outputTarget.directory, `seed-${seed}`)
    const { page } = await writeReport(result, { cwd: outputTarget.directory, directory })
    if (!outputTarget.output.page) await rm(resolve(outputTarget.directory, page))
    return seedRunOf(result)
  } catch (error) {
    if (error instanceof Interrupted) return undefined
    if (error instanceof UsageError) throw error
    return noRun(seed, error instanceof Error ? error.message : String(error))
  }
}

async function writeSeeds(document: Seeds, { directory, output }: OutputTarget): Promise<void> {
  const file = join(directory, 'seeds.json')
  await writeFile(file, `${JSON.stringify(document)}\n`)
  const written = `Result: ${relative(process.cwd(), file)}\n`
  if (output.json === true) {
    process.stdout.write(`${JSON.stringify(document)}\n`)
    process.stderr.write(written)
  } else process.stdout.write(`\n${totalLines(document.runs).join('\n')}\n\n${written}`)
}

function exitCodeOf({ runs, interrupted }: Seeds): number {
  if (interrupted) return EXIT_CODES.interrupted.code
  if (runs.some(({ standing }) => standing === 'failed')) return EXIT_CODES.failed.code
  return runs.some(({ standing }) => standing === 'invalid')
    ? EXIT_CODES.invalid.code
    : EXIT_CODES.passed.code
}
