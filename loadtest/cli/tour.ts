/** The tour, the default command: one host, then two with their own Redis, with a kill in each. */
import { z } from 'zod'
import type { RunResult } from '../model/result.ts'
import { DOCUMENT_VERSION, type Tour } from '../report/compare/comparison.ts'
import { Interrupted } from '../run/exit-codes.ts'
import { scenarioNamed } from '../run/request/names.ts'
import type { RunFlags } from '../run/request/request.ts'
import { runScenario } from '../run/run-scenario.ts'
import { toolNow } from '../system/machine.ts'
import { type CommandContext, withCommandContext } from './command-context.ts'
import type { Flags } from './flags.ts'
import { outputFrom, parseFlags } from './flags.ts'
import { writeResult } from './output.ts'
import { randomSeed, requestFor } from './run.ts'

interface TourRun {
  description: string
  scenario: string
  runFlags: RunFlags
}

const TOUR: readonly TourRun[] = [
  {
    description: 'One host with two workers; one of them is killed three times',
    scenario: 'worker-kills',
    runFlags: { hosts: 1, workers: 2, clients: 400, rate: 80, duration: 45 },
  },
  {
    description: 'Two hosts with Redis; one of them is killed and starts again',
    scenario: 'host-kill',
    runFlags: { hosts: 2, workers: 1, clients: 400, rate: 80, duration: 45 },
  },
]

const SHORT_TOUR: readonly TourRun[] = [
  {
    description: 'One host with two workers; one of them is killed',
    scenario: 'avalanche-worker',
    runFlags: { hosts: 1, workers: 2, clients: 60, rate: 30, duration: 6 },
  },
  {
    description: 'Two hosts with Redis; a worker is killed',
    scenario: 'avalanche-worker',
    runFlags: { hosts: 2, workers: 2, clients: 60, rate: 30, duration: 6 },
  },
]

const TourFlags = z.object({
  short: z.literal(true).optional(),
  seed: z.coerce.number().pipe(z.int().min(0)).optional(),
})

/** @returns the exit code */
export async function tour(flags: Flags): Promise<number> {
  const output = outputFrom(flags)
  const { short = false, seed = randomSeed() } = parseFlags(TourFlags, flags)
  const startedAt = new Date().toISOString()
  const runs = short ? SHORT_TOUR : TOUR
  const results = await withCommandContext((context) => runAll(runs, seed, context))
  const document: Tour = {
    document: 'tour',
    version: DOCUMENT_VERSION,
    tool: await toolNow(),
    startedAt,
    arguments: { short, seed },
    interrupted: results.length < runs.length || results.some(({ interrupted }) => interrupted),
    title: 'One host, then two with Redis, with a kill in each',
    results,
  }
  return writeResult(document, output)
}

async function runAll(runs: readonly TourRun[], seed: number, context: CommandContext): Promise<RunResult[]> {
  const results: RunResult[] = []
  for (const [nth, { description, scenario, runFlags }] of runs.entries()) {
    context.note(`${nth + 1} of ${runs.length}: ${description}`)
    const request = requestFor(scenarioNamed(scenario), runFlags, seed)
    const result = await unlessInterrupted(
      runScenario(request, context.observer(request.settings.clients)),
      results,
    )
    if (result !== undefined) results.push(result)
    if (context.stop.aborted) break
  }
  return results
}

/** Runs completed before the interruption are still reported. */
async function unlessInterrupted(
  running: Promise<RunResult>,
  before: readonly RunResult[],
): Promise<RunResult | undefined> {
  try {
    return await running
  } catch (error) {
    if (error instanceof Interrupted && before.length > 0) return undefined
    throw error
  }
}
