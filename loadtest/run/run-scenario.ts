/**
 * One run, from the target's start to its end. The only place that starts and stops targets for scenarios.
 */

import type { RunResult } from '../model/result.ts'
import type { RunningTarget } from '../model/target.ts'
import { machineNow, toolNow } from '../system/machine.ts'
import { Interrupted, UsageError } from './exit-codes.ts'
import { measureRun } from './measured-run.ts'
import type { RunObserver } from './observer.ts'
import type { RunRequest, TargetRequest } from './request/request.ts'
import { resultOf } from './result/run-result.ts'
import { unlessStopped } from './wait.ts'

export async function runScenario(request: RunRequest, observer: RunObserver): Promise<RunResult> {
  const environment = { tool: await toolNow(), machine: await machineNow() }
  return withTarget(targetRequestIn(request), observer, async (running) => {
    refuseFaults(request, running)
    return resultOf(await measureRun(running, request, observer), request, environment)
  })
}

/** Starts the target, runs `work`, and stops the target in any case. */
export async function withTarget<T>(
  { target, ...options }: TargetRequest,
  observer: RunObserver,
  work: (running: RunningTarget) => Promise<T>,
): Promise<T> {
  observer.phase(`starting ${target.name}`)
  const starting = target.start({ ...options, progress: (line) => observer.note(`  ${line}`) })
  const running = await unlessStopped(starting, observer.stop)
  if (running === undefined) {
    await (await starting).stop()
    throw new Interrupted('interrupted before the servers were up: there is nothing to report')
  }
  try {
    return await work(running)
  } finally {
    await running.stop()
  }
}

export function targetRequestIn({ target, scenario, settings, env, urls }: RunRequest): TargetRequest {
  const { shape, dialect } = settings
  return { target, shape, dialect, env, urls, needs: [...scenario.needs, ...(scenario.wants ?? [])] }
}

/** @throws UsageError */
export function refuseFaults({ target, scenario }: RunRequest, running: RunningTarget): void {
  const missing = scenario.needs.filter((fault) => running.faults[fault] === undefined)
  if (missing.length > 0)
    throw new UsageError(`${target.name} in this shape has no ${missing.join(' and no ')}`)
}
