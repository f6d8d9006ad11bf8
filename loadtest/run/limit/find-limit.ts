/**
 * `--find-limit`: runs at one rate after another against one running target, each with its own clients, until
 * the limit is found.
 */

import type { RunResult } from '../../model/result.ts'
import type { RunningTarget } from '../../model/target.ts'
import { machineNow, toolNow } from '../../system/machine.ts'
import { Interrupted } from '../exit-codes.ts'
import { measureRun } from '../measured-run.ts'
import type { RunObserver } from '../observer.ts'
import type { RunRequest } from '../request/request.ts'
import { type RunEnvironment, resultOf } from '../result/run-result.ts'
import { refuseFaults, targetRequestIn, withTarget } from '../run-scenario.ts'
import { unlessStopped } from '../wait.ts'
import { limitResult, lineOf, type SearchStep, stepOf } from './limit-result.ts'
import { MAX_STEPS, nextRate } from './next-rate.ts'

/**
 * @returns the result of the run with the highest rate that held, or of the last if none did; its `steps`
 *   list all
 */
export async function findLimit(
  request: RunRequest,
  p99Ms: number,
  observer: RunObserver,
): Promise<RunResult> {
  const environment = { tool: await toolNow(), machine: await machineNow() }
  return withTarget(targetRequestIn(request), observer, async (target) => {
    refuseFaults(request, target)
    const parts = { target, request, observer, environment }
    const runs: SearchStep[] = []
    let cutShort: RunResult | undefined
    for (let rate = nextOf(runs, request); rate !== undefined; rate = nextOf(runs, request)) {
      if (observer.stop.aborted) break
      const result = await passAt(rate, parts)
      if (result.interrupted) cutShort = result
      else runs.push({ step: stepOf(result, rate, p99Ms), result })
      observer.note(noteOf(runs, cutShort === undefined ? undefined : rate))
      await unlessStopped(target.untilReady(), observer.stop)
    }
    const interrupted = observer.stop.aborted
    if (interrupted && runs.length === 0 && cutShort === undefined)
      throw new Interrupted('interrupted before the first run: there is nothing to report')
    return limitResult({ runs, p99Ms, interrupted, cutShort })
  })
}

const nextOf = (runs: readonly SearchStep[], { settings }: RunRequest): number | undefined =>
  nextRate(
    runs.map(({ step }) => step),
    settings.ratePerSec,
  )

function noteOf(runs: readonly SearchStep[], interruptedAt: number | undefined): string {
  const last = runs.at(-1)
  if (interruptedAt !== undefined || last === undefined)
    return `  ${interruptedAt}/s was interrupted and is not judged`
  return `  ${runs.length} of at most ${MAX_STEPS}: ${lineOf(last.step)}`
}

interface PassParts {
  target: RunningTarget
  request: RunRequest
  observer: RunObserver
  environment: RunEnvironment
}

async function passAt(
  ratePerSec: number,
  { target, request, observer, environment }: PassParts,
): Promise<RunResult> {
  const own = { ...request, settings: { ...request.settings, ratePerSec } }
  return resultOf(await measureRun(target, own, observer), own, environment)
}
