/**
 * Compares runs of targets pair by pair, in the order in which they ran: whatever slows the machine down
 * slows both runs of a pair. Pure. Runs with different dialects, scenarios, kinds of client or numbers of
 * clients are refused.
 */

import { countOf } from '../../../src/core/count-of.ts'
import { sumOf } from '../../measure/sums.ts'
import type { RunResult } from '../../model/result.ts'
import { FIGURES, type Figure } from '../figures.ts'
import type { Comparison, Side } from './comparison.ts'
import { chanceOf, countSigns, type SignCounts } from './sign-test.ts'

/** Sides that must not be compared; the message says why. */
export class NotComparable extends Error {
  override readonly name = 'NotComparable'
}

/** Five pairs that differ the same way, or more pairs with few exceptions. */
const BEYOND_NOISE = 1 / 16
const MIN_PAIRS = 3

/**
 * `few`: fewer than three pairs. `leaning`: most pairs differ the same way, but chance does that too often to
 * be sure.
 */
export type Finding = 'beyond-noise' | 'leaning' | 'within-noise' | 'same' | 'few'

export interface FigureComparison {
  figure: Figure
  /** Medians over the pairs; for a `fault` the sum. */
  base: number
  other: number
  /** Other to base, pair by pair. Empty for a `fault`, and where the base is 0. */
  ratios: number[]
  ratio: { median: number; min: number; max: number } | null
  pairs: number
  finding: Finding
  /** Direction of the difference, whether or not it is beyond noise. */
  direction: 'better' | 'worse' | 'none'
  /** The finding in words, with its probability. */
  statement: string
}

export interface SideComparison {
  base: string
  other: string
  pairs: number
  figures: FigureComparison[]
  /** Notes for the reader: pairs left out, arguments and machines that differ. */
  notes: string[]
}

/** @returns each side except the first, compared with the first @throws NotComparable */
export function compare({ sides }: Pick<Comparison, 'sides'>): SideComparison[] {
  const [base, ...others] = sides
  if (base === undefined || others.length === 0) throw new NotComparable('a comparison needs two sides')
  const mixed = differingProperties(sides)
  if (mixed.length > 0) throw new NotComparable(`not comparable:  ${mixed.join('; ')}`)
  return others.map((other) => compareSides(base, other))
}

/** Properties that must be the same in all runs of all sides, and are not. */
function differingProperties(sides: readonly Side[]): string[] {
  const runs = sides.flatMap(({ results }) => results)
  const mustBeEqual: [string, (run: RunResult) => string][] = [
    ['dialects', (run) => run.dialect],
    ['scenarios', (run) => run.scenario.name],
    ['kinds of client', (run) => run.kind],
    ['numbers of clients', (run) => String(run.clients.asked)],
  ]
  return mustBeEqual.flatMap(([name, of]) => {
    const found = [...new Set(runs.map(of))]
    return found.length > 1 ? [`different ${name} (${found.join(', ')})`] : []
  })
}

interface Pair {
  base: RunResult
  other: RunResult
}

function compareSides(base: Side, other: Side): SideComparison {
  const rounds = Math.min(base.results.length, other.results.length)
  const pairs: Pair[] = []
  const notes: string[] = []
  for (const [index, baseRun] of base.results.slice(0, rounds).entries()) {
    const otherRun = other.results[index]
    if (otherRun === undefined) continue
    const reasons = [...unusable(base.label, baseRun), ...unusable(other.label, otherRun)]
    if (reasons.length === 0) pairs.push({ base: baseRun, other: otherRun })
    else notes.push(`pair ${index + 1} is left out: ${reasons.join('; ')}`)
  }
  const unmatched = Math.max(base.results.length, other.results.length) - rounds
  if (unmatched > 0) notes.push(`${countOf(unmatched, 'run')} without a matching run left out`)
  const figures = FIGURES.flatMap((figure) => compareFigure(figure, pairs) ?? [])
  const names = { base: base.label, other: other.label }
  return { ...names, pairs: pairs.length, figures, notes: [...notes, ...differences(pairs)] }
}

function unusable(label: string, result: RunResult): string[] {
  if (result.interrupted) return [`${label} was interrupted`]
  return result.valid ? [] : [`${label} is invalid (${result.invalid.join('; ')})`]
}

function differences(pairs: readonly Pair[]): string[] {
  const values = (of: (result: RunResult) => string | number | boolean | undefined): string[] =>
    pairs.flatMap(({ base, other }) =>
      of(base) === of(other) ? [] : [`${String(of(base))} and ${String(of(other))}`],
    )
  const names = new Set(
    pairs.flatMap(({ base, other }) => [base, other].flatMap((r) => Object.keys(r.arguments))),
  )
  names.delete('target')
  const unequal: [string, string[]][] = [...names].map((name) => [name, values((run) => run.arguments[name])])
  unequal.push(['seeds', values(({ seed }) => seed)])
  unequal.push(['machines', values(({ machine }) => `${machine.cpu}, ${countOf(machine.cores, 'core')}`)])
  return unequal.flatMap(([name, found]) =>
    found.length === 0 ? [] : [`different within pairs: ${name} (${[...new Set(found)].join('; ')})`],
  )
}

function compareFigure(figure: Figure, pairs: readonly Pair[]): FigureComparison | undefined {
  const measured = pairs.flatMap((pair) => {
    const [base, other] = [figure.of(pair.base), figure.of(pair.other)]
    return base === null || other === null ? [] : [{ base, other }]
  })
  if (measured.length === 0) return undefined
  const summed = figure.kind === 'fault' ? sumOf : median
  const ratios =
    figure.kind === 'fault' ? [] : measured.flatMap(({ base, other }) => (base > 0 ? [other / base] : []))
  const signs = countSigns(measured.map(({ base, other }) => other - base))
  const chance = chanceOf(signs)
  const finding = findingOf(signs, chance, measured.length)
  return {
    figure,
    base: summed(measured.map(({ base }) => base)),
    other: summed(measured.map(({ other }) => other)),
    ratios,
    ratio: spreadOf(ratios),
    pairs: measured.length,
    finding,
    direction: directionOf(figure, signs),
    statement: figure.kind === 'fault' ? faultStatement(measured) : statementOf(signs, finding, chance),
  }
}

function spreadOf(ratios: readonly number[]): FigureComparison['ratio'] {
  if (ratios.length === 0) return null
  const middle = ratios.every((ratio) => ratio > 0)
    ? Math.exp(median(ratios.map((ratio) => Math.log(ratio))))
    : median(ratios)
  return { median: middle, min: Math.min(...ratios), max: Math.max(...ratios) }
}

function findingOf({ higher, lower }: SignCounts, chance: number, pairs: number): Finding {
  if (higher + lower === 0) return 'same'
  if (pairs < MIN_PAIRS) return 'few'
  if (chance <= BEYOND_NOISE) return 'beyond-noise'
  return Math.min(higher, lower) === 0 && higher + lower >= MIN_PAIRS ? 'leaning' : 'within-noise'
}

function directionOf({ better }: Figure, { higher, lower }: SignCounts): FigureComparison['direction'] {
  if (higher === lower) return 'none'
  return higher > lower === (better === 'higher') ? 'better' : 'worse'
}

/** A loss is not a matter of chance. */
function faultStatement(measured: readonly { base: number; other: number }[]): string {
  const runs = (side: 'base' | 'other'): number => measured.filter((pair) => pair[side] > 0).length
  if (runs('base') + runs('other') === 0) return 'in no run'
  return `in ${runs('other')} of ${measured.length} runs, against ${runs('base')}`
}

function statementOf(signs: SignCounts, finding: Finding, chance: number): string {
  const { higher, lower, equal } = signs
  const pairs = higher + lower + equal
  if (finding === 'same') return pairs === 1 ? 'equal in the pair' : `equal in all ${pairs} pairs`
  const [word, most] = higher > lower ? ['higher', higher] : ['lower', lower]
  const counted = most === pairs ? `all ${pairs}` : `${most} of ${pairs}`
  if (finding === 'few') return `${word} in ${counted}: too few pairs to tell`
  if (finding === 'within-noise') return `${word} in ${counted}: within noise`
  const odds = `(by chance: 1 time in ${Math.round(1 / chance)})`
  return finding === 'leaning' ? `leaning ${word}, in ${counted} ${odds}` : `${word} in ${counted} ${odds}`
}

/** @returns NaN for an empty list */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return (lower + upper) / 2
}
