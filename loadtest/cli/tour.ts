/** The tour: what runs without arguments. One host, then two over a Redis of their own, and something is killed in each. */
import { z } from 'zod'
import type { RunResult } from '../model/result.ts'
import { DOCUMENT_VERSION, type Tour } from '../report/compare/comparison.ts'
import { Interrupted } from '../run/exit-codes.ts'
import { scenarioNamed } from '../run/request/names.ts'
import type { Asked } from '../run/request/request.ts'
import { runScenario } from '../run/run-scenario.ts'
import { toolNow } from '../system/machine.ts'
import { type CommandContext, withCommandContext } from './command-context.ts'
import type { Flags } from './flags.ts'
import { checked, outputFrom } from './flags.ts'
import { put } from './output.ts'
import { drawnSeed, requested } from './run.ts'

interface Stop {
  words: string
  scenario: string
  asked: Asked
}

const TOUR: readonly Stop[] = [
  {
    words: 'One host with two workers; three times one of them is killed',
    scenario: 'worker-kills',
    asked: { hosts: 1, workers: 2, clients: 400, rate: 80, duration: 45 },
  },
  {
    words: 'Two hosts over Redis; one of them is killed and comes back',
    scenario: 'host-kill',
    asked: { hosts: 2, workers: 1, clients: 400, rate: 80, duration: 45 },
  },
]

const SHORT: readonly Stop[] = [
  {
    words: 'One host with two workers; one of them is killed',
    scenario: 'avalanche-worker',
    asked: { hosts: 1, workers: 2, clients: 60, rate: 30, duration: 6 },
  },
  {
    words: 'Two hosts over Redis; a worker is killed',
    scenario: 'avalanche-worker',
    asked: { hosts: 2, workers: 2, clients: 60, rate: 30, duration: 6 },
  },
]

const TourFlags = z.object({
  short: z.literal(true).optional(),
  seed: z.coerce.number().pipe(z.int().min(0)).optional(),
})

/** @returns the exit code */
export async function tour(flags: Flags): Promise<number> {
  const output = outputFrom(flags)
  const { short = false, seed = drawnSeed() } = checked(TourFlags, flags)
  const startedAt = new Date().toISOString()
  const stops = short ? SHORT : TOUR
  const results = await withCommandContext((context) => runAll(stops, seed, context))
  const document: Tour = {
    document: 'tour',
    version: DOCUMENT_VERSION,
    tool: await toolNow(),
    startedAt,
    arguments: { short, seed },
    interrupted: results.length < stops.length || results.some(({ interrupted }) => interrupted),
    title: 'One host, then two over Redis, with a kill in each',
    results,
  }
  return put(document, output)
}

async function runAll(stops: readonly Stop[], seed: number, context: CommandContext): Promise<RunResult[]> {
  const results: RunResult[] = []
  for (const [nth, { words, scenario, asked }] of stops.entries()) {
    context.note(`${nth + 1} of ${stops.length}: ${words}`)
    const request = requested(scenarioNamed(scenario), asked, seed)
    const result = await unlessInterrupted(
      runScenario(request, context.observer(request.settings.clients)),
      results,
    )
    if (result !== undefined) results.push(result)
    if (context.stop.aborted) break
  }
  return results
}

/** What was done before the interruption is worth its report. */
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
