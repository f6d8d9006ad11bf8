/** `--find-limit`: passes at one rate after the other over one running target, each with clients of its own, until the limit is known. */

import type { RunResult } from '../../model/result.ts'
import type { RunningTarget } from '../../model/target.ts'
import { machineNow, toolNow } from '../../system/machine.ts'
import { Interrupted } from '../exit-codes.ts'
import { pass } from '../measured-run.ts'
import type { RunWatch } from '../observer.ts'
import type { RunRequest } from '../request/request.ts'
import { resultOf, type Setting } from '../result/run-result.ts'
import { placeIn, refuseFaults, withTarget } from '../run-scenario.ts'
import { unlessStopped } from '../wait.ts'
import { limitResult, lineOf, stepOf, type Tried } from './limit-result.ts'
import { MOST_TRIES, nextRate } from './next-rate.ts'

/** @returns the result of the pass with the highest rate that held, or of the last where none did; all of them are in its `steps` */
export async function findLimit(request: RunRequest, p99Ms: number, watch: RunWatch): Promise<RunResult> {
  const setting = { tool: await toolNow(), machine: await machineNow() }
  return withTarget(placeIn(request), watch, async (target) => {
    refuseFaults(request, target)
    const parts = { target, request, watch, setting }
    const tried: Tried[] = []
    let cutShort: RunResult | undefined
    for (let rate = nextOf(tried, request); rate !== undefined; rate = nextOf(tried, request)) {
      if (watch.stop.aborted) break
      const result = await passAt(rate, parts)
      if (result.interrupted) cutShort = result
      else tried.push({ step: stepOf(result, rate, p99Ms), result })
      watch.note(noteOf(tried, cutShort === undefined ? undefined : rate))
      await unlessStopped(target.untilWhole(), watch.stop)
    }
    const interrupted = watch.stop.aborted
    if (interrupted && tried.length === 0 && cutShort === undefined)
      throw new Interrupted('interrupted before the first pass: there is nothing to report')
    return limitResult({ tried, p99Ms, interrupted, cutShort })
  })
}

const nextOf = (tried: readonly Tried[], { settings }: RunRequest): number | undefined =>
  nextRate(
    tried.map(({ step }) => step),
    settings.ratePerSec,
  )

function noteOf(tried: readonly Tried[], interruptedAt: number | undefined): string {
  const last = tried.at(-1)
  if (interruptedAt !== undefined || last === undefined)
    return `  ${interruptedAt}/s was interrupted: nothing is said of it`
  return `  ${tried.length} of at most ${MOST_TRIES}: ${lineOf(last.step)}`
}

interface PassParts {
  target: RunningTarget
  request: RunRequest
  watch: RunWatch
  setting: Setting
}

async function passAt(
  ratePerSec: number,
  { target, request, watch, setting }: PassParts,
): Promise<RunResult> {
  const own = { ...request, settings: { ...request.settings, ratePerSec } }
  return resultOf(await pass(target, own, watch), own, setting)
}
