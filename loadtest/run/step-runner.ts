/** Brings about what a plan's steps say, each at its moment: orders to the fleet, faults of the target. Measures nothing. */
import type { Fleet } from '../fleet/fleet.ts'
import { chosen, churnMoments, cutMoments } from '../load/event-times.ts'
import { randomOf } from '../load/random.ts'
import type { Load, Step, WantedClient } from '../model/plan.ts'
import { NothingToHit, type RunningTarget } from '../model/target.ts'
import { unlessStopped, untilMoment } from './wait.ts'

/** The fleet is told so much before the moment, so that every process knows in time. */
const AHEAD_MS = 250
/** Load that goes on because a fault does comes in pieces of this length. */
const PIECE_MS = 1_000

export interface Stage {
  fleet: Pick<Fleet, 'load' | 'cut' | 'leave' | 'slow' | 'revive'>
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
export async function drive(steps: readonly Step[], stage: Stage, meanwhile?: Load): Promise<number> {
  const faults: Promise<unknown>[] = []
  const failures: unknown[] = []
  for (const { step, place } of inOrder(steps)) {
    await untilMoment(stage.zeroAt + beginsMs(step), stage.stop)
    if (stage.stop.aborted) break
    if (step.do === 'fault') faults.push(fault(step, stage).catch((error: unknown) => failures.push(error)))
    else order(step, place, stage)
  }
  await untilMoment(stage.zeroAt + Math.max(0, ...steps.map(endMs)), stage.stop)
  const ended = Promise.all(faults)
  const loadedUntil = meanwhile === undefined ? 0 : await keepUp(meanwhile, ended, stage)
  await unlessStopped(ended, stage.stop)
  if (failures.length > 0) throw failures[0]
  return loadedUntil
}

/** To be called when all faults are over. Resolves when the load is, which begins when what there is until `loadedUntil` ends. */
export async function driveAfter(load: Load, stage: Stage, loadedUntil: number): Promise<void> {
  if (stage.stop.aborted) return
  const at = stage.now()
  stage.mark(at - stage.zeroAt, 'all faults are over')
  stage.fleet.revive(at)
  const from = Math.max(at + AHEAD_MS, loadedUntil)
  stage.fleet.load(load, from)
  await untilMoment(from + load.durationMs, stage.stop)
}

/** Who recovers from the last fault must not find an idle server. @returns until when there is load */
async function keepUp(load: Load, faults: Promise<unknown>, stage: Stage): Promise<number> {
  const over = new AbortController()
  void faults.then(() => over.abort())
  const end = AbortSignal.any([stage.stop, over.signal])
  await untilMoment(stage.now(), end)
  let until = stage.now() + AHEAD_MS
  while (!end.aborted) {
    stage.fleet.load({ ...load, durationMs: PIECE_MS }, until)
    until += PIECE_MS
    await untilMoment(until - AHEAD_MS, end)
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

async function fault(step: Extract<Step, { do: 'fault' }>, stage: Stage): Promise<void> {
  const does = stage.faults[step.fault]
  if (does === undefined) throw new Error(`the target has no ${step.fault}`)
  stage.mark(stage.now() - stage.zeroAt, `${step.fault} ${step.which}`)
  try {
    await does(step.which)
  } catch (error) {
    if (!(error instanceof NothingToHit)) throw error
    stage.mark(stage.now() - stage.zeroAt, `${step.fault} ${step.which} hit nothing: ${error.message}`)
  }
}

function order(step: Exclude<Step, { do: 'fault' }>, place: number, stage: Stage): void {
  const at = stage.zeroAt + step.atMs
  const random = randomOf(stage.seed, 'step', place)
  if (step.do === 'load') {
    stage.mark(step.atMs, `load ${step.load.ratePerSec}/s`)
    stage.fleet.load(step.load, at)
  } else if (step.do === 'cut') {
    const whom = chosen(step.cut.whom, stage.clients, random)
    stage.mark(step.atMs, `cut ${whom.length}`)
    stage.fleet.cut(cutMoments(whom, { at, spreadMs: step.cut.spreadMs }, random), step.cut.offlineMs)
  } else if (step.do === 'slow') {
    const slow = stage.clients.filter(({ reads }) => reads !== 'all')
    stage.mark(step.atMs, `slow ${slow.length}`)
    stage.fleet.slow(at)
  } else if (step.do === 'churn') {
    const all = stage.clients.map(({ index }) => index)
    stage.mark(step.atMs, `churn ${step.churn.perSec}/s`)
    stage.fleet.leave(churnMoments(step.churn, all, at, random))
  }
}
