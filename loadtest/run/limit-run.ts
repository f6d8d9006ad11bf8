/** `--find-limit`: passes at one rate after the other over one running target, each with clients of its own, until the limit is known. */
import { machineNow, toolNow } from '../measure/machine.ts'
import type { RunResult } from '../result.ts'
import type { RunningTarget } from '../target.ts'
import { highestHeld, MOST_TRIES, nextRate } from './find-limit.ts'
import { pass } from './passage.ts'
import type { RunRequest } from './request.ts'
import { resultOf, type Setting } from './run-result.ts'
import { placeIn, refuseFaults, withTarget } from './run-scenario.ts'
import type { RunWatch } from './watch.ts'

type Step = NonNullable<RunResult['steps']>[number]

interface Tried {
  step: Step
  result: RunResult
}

/** @returns the result of the pass with the highest rate that held, or of the last where none did; all of them are in its `steps` */
export async function findLimit(request: RunRequest, p99Ms: number, watch: RunWatch): Promise<RunResult> {
  const setting = { tool: await toolNow(), machine: await machineNow() }
  return withTarget(placeIn(request), watch, async (target) => {
    refuseFaults(request, target)
    const tried: Tried[] = []
    for (;;) {
      const ratePerSec = nextRate(
        tried.map(({ step }) => step),
        request.settings.ratePerSec,
      )
      if (ratePerSec === undefined || watch.stop.aborted) break
      const result = await passAt(ratePerSec, { target, request, watch, setting })
      const step = stepOf(result, ratePerSec, p99Ms)
      tried.push({ step, result })
      watch.note(`  ${tried.length} of at most ${MOST_TRIES}: ${lineOf(step)}`)
      if (result.interrupted) break
      await target.untilWhole()
    }
    return summed(tried, p99Ms)
  })
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

/** Held: delivered in time, all of it, by a server that was the only bottleneck. */
function stepOf(result: RunResult, ratePerSec: number, p99Ms: number): Step {
  const { delivery } = result.latency
  const { durationMs } = loadOf(result)
  const isWell = result.valid && result.verdict.ok && result.checks.every(({ ok }) => ok)
  return {
    ratePerSec,
    deliveredPerSec: (result.verdict.delivered * 1_000) / durationMs,
    deliveryP99Ms: delivery.p99Ms,
    cpuUsPerMessage: result.server?.cpuUsPerMessage ?? null,
    held: isWell && !result.interrupted && delivery.count > 0 && delivery.p99Ms <= p99Ms,
  }
}

const byRate = (a: Tried, b: Tried): number => a.step.ratePerSec - b.step.ratePerSec

const loadOf = ({ arguments: asked }: RunResult): { durationMs: number } => ({
  durationMs: Number(asked['duration']) * 1_000,
})

function lineOf({ ratePerSec, deliveryP99Ms, held }: Step): string {
  return `${ratePerSec}/s ${held ? 'held' : 'did not hold'}, delivery p99 ${deliveryP99Ms.toFixed(1)} ms`
}

function summed(tried: readonly Tried[], p99Ms: number): RunResult {
  const steps = tried.map(({ step }) => step)
  const best = highestHeld(steps)
  const shown = tried.findLast(({ step }) => step.held && step.ratePerSec === best) ?? tried.at(-1)
  if (shown === undefined) throw new Error('nothing was tried')
  const last = tried.at(-1)?.result
  // What bounds the limit from above must have been the server.
  const above = tried.filter(({ step }) => step.ratePerSec > best).toSorted(byRate)[0]?.result
  const reasons = above === undefined || above === shown.result ? [] : above.invalid
  const generators = reasons.map((why) => `beyond ${best}/s: ${why}`)
  const { result } = shown
  return {
    ...result,
    arguments: { ...result.arguments, rate: steps[0]?.ratePerSec ?? 0, findLimit: true, p99: p99Ms },
    steps,
    invalid: [...new Set([...result.invalid, ...generators])],
    valid: result.valid && generators.length === 0,
    interrupted: last?.interrupted ?? false,
    checks: [
      ...result.checks,
      { name: `a rate holds with delivery p99 under ${p99Ms} ms`, ok: best > 0, detail: `${best}/s` },
    ],
  }
}
