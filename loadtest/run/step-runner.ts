/**
 * Runs a plan's steps, each at its time: commands to the fleet, and faults of the target. Measures nothing.
 */
import type { Fleet } from '../fleet/fleet.ts'
import { churnTimes, cutTimes, selectClients } from '../load/event-times.ts'
import { randomOf } from '../load/random.ts'
import type { Load, Step, WantedClient } from '../model/plan.ts'
import { FaultMissed, type RunningTarget } from '../model/target.ts'
import { unlessStopped, waitUntil } from './wait.ts'

/** Commands go to the fleet this long ahead, so that every process gets them in time. */
const AHEAD_MS = 250
/** Length of the chunks in which load continues while a fault lasts. */
const LOAD_CHUNK_MS = 1_000

export interface StepContext {
  fleet: Pick<Fleet, 'load' | 'cut' | 'leave' | 'slow' | 'trackRecovery'>
  faults: RunningTarget['faults']
  clients: readonly WantedClient[]
  seed: number
  /** The steps' zero, a time of `system/clock.ts`. */
  zeroAt: number
  /** Ends it early. */
  stop: AbortSignal
  /** Marks an event at a time after the zero. */
  mark(atMs: number, label: string): void
  now(): number
}

/**
 * Resolves when the last step is over and every fault is done, or at once when stopped.
 * @param loadDuringFaults load to continue with while faults last longer than the steps
 * @returns when that load ends
 * @throws what a fault throws
 */
export async function runSteps(
  steps: readonly Step[],
  context: StepContext,
  loadDuringFaults?: Load,
): Promise<number> {
  const faults: Promise<unknown>[] = []
  const failures: unknown[] = []
  for (const { step, place } of inOrder(steps)) {
    await waitUntil(context.zeroAt + beginsMs(step), context.stop)
    if (context.stop.aborted) break
    if (step.do === 'fault')
      faults.push(injectFault(step, context).catch((error: unknown) => failures.push(error)))
    else startStep(step, place, context)
  }
  await waitUntil(context.zeroAt + Math.max(0, ...steps.map(endMs)), context.stop)
  const ended = Promise.all(faults)
  const loadedUntil = loadDuringFaults === undefined ? 0 : await loadUntil(loadDuringFaults, ended, context)
  await unlessStopped(ended, context.stop)
  if (failures.length > 0) throw failures[0]
  return loadedUntil
}

/**
 * Call it when all faults are over. Resolves when the load is over, which starts when the load until
 * `loadedUntil` ends.
 */
export async function runAfterFaults(load: Load, context: StepContext, loadedUntil: number): Promise<void> {
  if (context.stop.aborted) return
  const at = context.now()
  context.mark(at - context.zeroAt, 'all faults are over')
  context.fleet.trackRecovery(at)
  const from = Math.max(at + AHEAD_MS, loadedUntil)
  context.fleet.load(load, from)
  await waitUntil(from + load.durationMs, context.stop)
}

/** Keeps load up, so that no server recovers while idle. @returns when the load ends */
async function loadUntil(load: Load, faults: Promise<unknown>, context: StepContext): Promise<number> {
  const over = new AbortController()
  void faults.then(() => over.abort())
  const end = AbortSignal.any([context.stop, over.signal])
  await waitUntil(context.now(), end)
  let until = context.now() + AHEAD_MS
  while (!end.aborted) {
    context.fleet.load({ ...load, durationMs: LOAD_CHUNK_MS }, until)
    until += LOAD_CHUNK_MS
    await waitUntil(until - AHEAD_MS, end)
  }
  return until
}

/** When the step is over, from the zero. Recovery after a cut or fault is not included. */
export function endMs(step: Step): number {
  if (step.do === 'load') return step.atMs + step.load.durationMs
  if (step.do === 'churn') return step.atMs + step.churn.durationMs
  if (step.do === 'cut') return step.atMs + step.cut.spreadMs + step.cut.offlineMs
  return step.do === 'rest' ? step.atMs + step.durationMs : step.atMs
}

const beginsMs = (step: Step): number => (step.do === 'fault' ? step.atMs : step.atMs - AHEAD_MS)

/** `place` names the step's own random stream, whatever the order in which steps start. */
function inOrder(steps: readonly Step[]): { step: Step; place: number }[] {
  return steps.map((step, place) => ({ step, place })).toSorted((a, b) => beginsMs(a.step) - beginsMs(b.step))
}

async function injectFault(step: Extract<Step, { do: 'fault' }>, context: StepContext): Promise<void> {
  const inject = context.faults[step.fault]
  if (inject === undefined) throw new Error(`the target has no ${step.fault}`)
  context.mark(context.now() - context.zeroAt, `${step.fault} ${step.which}`)
  try {
    await inject(step.which)
  } catch (error) {
    if (!(error instanceof FaultMissed)) throw error
    context.mark(context.now() - context.zeroAt, `${step.fault} ${step.which} hit nothing: ${error.message}`)
  }
}

function startStep(step: Exclude<Step, { do: 'fault' }>, place: number, context: StepContext): void {
  const at = context.zeroAt + step.atMs
  const random = randomOf(context.seed, 'step', place)
  if (step.do === 'load') {
    context.mark(step.atMs, `load ${step.load.ratePerSec}/s`)
    context.fleet.load(step.load, at)
  } else if (step.do === 'cut') {
    const selection = selectClients(step.cut.selection, context.clients, random)
    context.mark(step.atMs, `cut ${selection.length}`)
    context.fleet.cut(cutTimes(selection, { at, spreadMs: step.cut.spreadMs }, random), step.cut.offlineMs)
  } else if (step.do === 'slow') {
    const slow = context.clients.filter(({ reads }) => reads !== 'all')
    context.mark(step.atMs, `slow ${slow.length}`)
    context.fleet.slow(at)
  } else if (step.do === 'churn') {
    const all = context.clients.map(({ index }) => index)
    context.mark(step.atMs, `churn ${step.churn.perSec}/s`)
    context.fleet.leave(churnTimes(step.churn, all, at, random))
  }
}
