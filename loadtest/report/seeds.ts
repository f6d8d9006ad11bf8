/** One scenario with many seeds: a line for each run, and totals. Pure. */
import { z } from 'zod'
import { countOf } from '../../src/core/count-of.ts'
import { FaultKind } from '../model/plan.ts'
import type { RunResult } from '../model/result.ts'
import { whole } from './format.ts'
import { outcomeOf, RUN_STATUS_WORDS } from './outcome.ts'

export const SEEDS_VERSION = 1

const count = z.int().min(0)

const Sums = z.strictObject({
  sent: count,
  acked: count,
  delivered: count,
  lost: count,
  doubled: count,
  outOfOrder: count,
  phantom: count,
  /** Faults that hit something, by kind; `cut` counts cuts, not clients. */
  faults: z.record(z.string(), count),
})
type Sums = z.infer<typeof Sums>

const SeedRun = z.strictObject({
  seed: count,
  standing: z.enum(['passed', 'failed', 'invalid']),
  reasons: z.array(z.string()),
  sums: Sums,
  /** From the last fault's end until the last client was served again; null if not measured. */
  servedAfterMs: z.number().nullable(),
  /** Of the machine, before the run. */
  loadAverage: z.number().nullable(),
})
export type SeedRun = z.infer<typeof SeedRun>

export const Seeds = z.strictObject({
  document: z.literal('seeds'),
  version: z.literal(SEEDS_VERSION),
  tool: z.strictObject({ version: z.string(), commit: z.string().nullable() }),
  startedAt: z.iso.datetime(),
  scenario: z.string(),
  target: z.strictObject({ name: z.string(), hosts: z.int(), workersPerHost: z.int() }),
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  runs: z.array(SeedRun),
  totals: Sums,
  interrupted: z.boolean(),
})
export type Seeds = z.infer<typeof Seeds>

const NOTHING: Sums = {
  sent: 0,
  acked: 0,
  delivered: 0,
  lost: 0,
  doubled: 0,
  outOfOrder: 0,
  phantom: 0,
  faults: {},
}

export function seedRunOf(result: RunResult): SeedRun {
  const { status, reasons } = outcomeOf(result)
  const { sent, acked, delivered, lost, doubled, outOfOrder, phantom } = result.verdict
  return {
    seed: result.seed,
    standing: status,
    reasons,
    sums: { sent, acked, delivered, lost, doubled, outOfOrder, phantom, faults: faultsIn(result.marks) },
    servedAfterMs: result.revival?.maxMs ?? null,
    loadAverage: result.machine.loadAverage,
  }
}

/** A run that could not be made. */
export function noRun(seed: number, reason: string): SeedRun {
  const reasons = [reason]
  return { seed, standing: 'invalid', reasons, sums: NOTHING, servedAfterMs: null, loadAverage: null }
}

const HIT_NOTHING = ' hit nothing: '

function faultsIn(marks: RunResult['marks']): Record<string, number> {
  const faults: Record<string, number> = {}
  for (const { label } of marks) {
    const [name = ''] = label.split(' ')
    if (name !== 'cut' && !FaultKind.safeParse(name).success) continue
    faults[name] = (faults[name] ?? 0) + (label.includes(HIT_NOTHING) ? -1 : 1)
  }
  return faults
}

export function totalOf(runs: readonly SeedRun[]): Sums {
  return runs.reduce((total, { sums }) => added(total, sums), NOTHING)
}

function added(a: Sums, b: Sums): Sums {
  const faults = { ...a.faults }
  for (const [name, times] of Object.entries(b.faults)) faults[name] = (faults[name] ?? 0) + times
  return {
    sent: a.sent + b.sent,
    acked: a.acked + b.acked,
    delivered: a.delivered + b.delivered,
    lost: a.lost + b.lost,
    doubled: a.doubled + b.doubled,
    outOfOrder: a.outOfOrder + b.outOfOrder,
    phantom: a.phantom + b.phantom,
    faults,
  }
}

export function lineOf({ seed, standing, reasons, sums, servedAfterMs, loadAverage }: SeedRun): string {
  const served =
    servedAfterMs === null ? '' : ` · served ${(servedAfterMs / 1_000).toFixed(1)} s after the last fault`
  const load = loadAverage === null ? '' : ` · machine load ${loadAverage.toFixed(1)}`
  const words = `${RUN_STATUS_WORDS[standing]}  seed ${seed} · ${countsOf(sums)}${served}${load}`
  return [words, ...reasons.map((reason) => `        ${reason}`)].join('\n')
}

export function totalLines(runs: readonly SeedRun[]): string[] {
  const total = totalOf(runs)
  const failed = runs.filter(({ standing }) => standing !== 'passed').map(({ seed }) => seed)
  const kinds = Object.entries(total.faults).toSorted(([a], [b]) => a.localeCompare(b))
  return [
    `${countOf(runs.length, 'seed')}: ${countsOf(total)}`,
    `Faults: ${kinds.map(([name, times]) => `${whole(times)} ${name}`).join(' · ')}`,
    failed.length === 0 ? 'All passed.' : `Not passed: ${failed.join(', ')}`,
  ]
}

function countsOf({ sent, acked, delivered, lost, doubled, outOfOrder, phantom, faults }: Sums): string {
  const hits = Object.values(faults).reduce((sum, times) => sum + times, 0)
  return `${whole(hits)} faults · ${whole(sent)} sent · ${whole(acked)} acked · ${whole(delivered)} delivered · ${whole(lost)} lost · ${whole(doubled)} duplicates · ${whole(outOfOrder)} out of order · ${whole(phantom)} phantom`
}
