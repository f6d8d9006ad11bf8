/** Brings about what a plan's steps say, each at its moment: orders to the fleet, faults of the target. Measures nothing. */
import type { Fleet } from '../fleet/fleet.ts'
import { churnTimes, cutTimes, selectClients } from '../load/event-times.ts'
import { randomOf } from '../load/random.ts'
import type { Load, Step, WantedClient } from '../model/plan.ts'
import { FaultMissed, type RunningTarget } from '../model/target.ts'
import { unlessStopped, waitUntil } from './wait.ts'

/** The fleet is told so much before the moment, so that every process knows in time. */
const AHEAD_MS = 250
/** Load that goes on because a fault does comes in pieces of this length. */
const PIECE_MS = 1_000

export interface StepContext {
  fleet: Pick<Fleet, 'load' | 'cut' | 'leave' | 'slow' | 'trackRecovery'>
  faults: RunningTarget['faults']
  clients: readonly WantedClient[]
  seed: number
  /** Of `clock.ts`: the steps' zero. */
  zeroAt: number
  /** Ends it early. */
  stop: AbortSignal
  /** Something happens at a moment after the zero. */
  mark(atMs: number, label: string): void
  now(): number
}

/**
 * Resolves when the last step is over and every fault is done, or at once when it is stopped.
 * @param meanwhile load that goes on while faults last longer than the steps
 * @returns until when there is such load
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

/** To be called when all faults are over. Resolves when the load is, which begins when what there is until `loadedUntil` ends. */
export async function runAfterFaults(load: Load, context: StepContext, loadedUntil: number): Promise<void> {
  if (context.stop.aborted) return
  const at = context.now()
  context.mark(at - context.zeroAt, 'all faults are over')
  context.fleet.trackRecovery(at)
  const from = Math.max(at + AHEAD_MS, loadedUntil)
  context.fleet.load(load, from)
  await waitUntil(from + load.durationMs, context.stop)
}

/** Who recovers from the last fault must not find an idle server. @returns until when there is load */
async function loadUntil(load: Load, faults: Promise<unknown>, context: StepContext): Promise<number> {
  const over = new AbortController()
  void faults.then(() => over.abort())
  const end = AbortSignal.any([context.stop, over.signal])
  await waitUntil(context.now(), end)
  let until = context.now() + AHEAD_MS
  while (!end.aborted) {
    context.fleet.load({ ...load, durationMs: PIECE_MS }, until)
    until += PIECE_MS
    await waitUntil(until - AHEAD_MS, end)
  }
  return until
}

/** When the last of them is over, from their zero. What a cut or a fault leaves behind is not counted. */
export function endMs(step: Step): number {
  if (step.do === 'load') return step.atMs + step.load.durationMs
  if (step.do === 'churn') return step.atMs + step.churn.durationMs
  if (step.do === 'cut') return step.atMs + step.cut.spreadMs + step.cut.offlineMs
  return step.do === 'rest' ? step.atMs + step.durationMs : step.atMs
}

const beginsMs = (step: Step): number => (step.do === 'fault' ? step.atMs : step.atMs - AHEAD_MS)

/** `place` names the step's own stream of randomness, whatever the order in which steps begin. */
function inOrder(steps: readonly Step[]): { step: Step; place: number }[] {
  return steps.map((step, place) => ({ step, place })).toSorted((a, b) => beginsMs(a.step) - beginsMs(b.step))
}

async function injectFault(step: Extract<Step, { do: 'fault' }>, context: StepContext): Promise<void> {
  const does = context.faults[step.fault]
  if (does === undefined) throw new Error(`the target has no ${step.fault}`)
  context.mark(context.now() - context.zeroAt, `${step.fault} ${step.which}`)
  try {
    await does(step.which)
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
