/** A run, comparison or tour on a terminal. Pure. */

import { countOf } from '../../../src/core/count-of.ts'
import type { RunResult } from '../../model/result.ts'
import { compare, type FigureComparison, type SideComparison } from '../compare/compare.ts'
import type { Comparison, Tour } from '../compare/comparison.ts'
import { isComparison, isTour, type ReportDocument, runsOf } from '../document.ts'
import { figure } from '../figures.ts'
import { inUnit, NOTHING, plain, ratio } from '../format.ts'
import { headline, outcomeOf, RUN_STATUS_WORDS, worst } from '../outcome.ts'
import { type Canvas, type Piece, paragraph, tabulated } from './layout.ts'
import type { Style } from './paint.ts'
import { RUN_STATUS_STYLES, terminalReport } from './terminal-run.ts'

const ROW_FIGURES = ['cpuPerMessage', 'cpuPerDelivery', 'deliveryP50', 'deliveryP99', 'lost']

/** Any kind of document. @throws NotComparable */
export function terminalDocument(document: ReportDocument, canvas: Canvas): string[] {
  if (isComparison(document)) return terminalComparison(document, canvas)
  return isTour(document) ? terminalTour(document, canvas) : terminalReport(document, canvas)
}

function terminalTour(tour: Tour, canvas: Canvas): string[] {
  const status = worst(tour.results.map(outcomeOf))
  const head = canvas.paint(RUN_STATUS_STYLES[status], RUN_STATUS_WORDS[status])
  const each = tour.results.flatMap((result) => ['', ...terminalReport(result, canvas)])
  return [`${head}  ${canvas.paint('strong', plain(tour.title))}`, '', ...runRows(tour, canvas), ...each]
}

function terminalComparison(comparison: Comparison, canvas: Canvas): string[] {
  const compared = compare(comparison)
  const beside =
    comparison.beside.length === 0 ? [] : ['The runs after the pairs are not comparable, and in no ratio.']
  return [
    ...paragraph({ text: titleOf(comparison), style: 'strong' }, canvas),
    '',
    ...runRows(comparison, canvas),
    ...beside,
    ...compared.flatMap((side) => ['', ...sideLines(side, canvas)]),
  ]
}

export function titleOf({ sides, interrupted }: Comparison): string {
  const scenario = sides.flatMap(({ results }) => results)[0]?.scenario.title ?? 'Nothing was run'
  const names = sides.map(({ label }) => plain(label)).join(' against ')
  return `${names}: ${plain(scenario)}${interrupted ? ' (interrupted)' : ''}`
}

function runRows(document: ReportDocument, canvas: Canvas): string[] {
  const figures = ROW_FIGURES.map(figure)
  const rows = runsOf(document).map(({ label, result }) => [
    { text: `${plain(label)}${isComparison(document) ? '' : ` ${plain(result.scenario.name)}`}` },
    outcomePiece(result),
    { text: result.dialect },
    ...figures.map(({ of, unit }) => ({ text: inUnit(of(result), unit) })),
  ])
  const head = ['Run', '', 'dialect', ...figures.map(({ title }) => title.replace('server ', ''))]
  return tabulated({ head, rows, dispensable: [2, 4, 5], words: [1, 2] }, canvas)
}

function outcomePiece(result: RunResult): Piece {
  const outcome = outcomeOf(result)
  return { text: headline(outcome), style: RUN_STATUS_STYLES[outcome.status] }
}

function sideLines(side: SideComparison, canvas: Canvas): string[] {
  const title = `${plain(side.other)} to ${plain(side.base)}, over ${countOf(side.pairs, 'pair')}`
  const notes = side.notes.flatMap((note) => paragraph({ text: plain(note), style: 'warning' }, canvas, '! '))
  if (side.figures.length === 0) return [title, ...notes, 'no pair can be compared']
  const rows = side.figures.map((each) => [
    { text: each.figure.title },
    { text: inUnit(each.base, each.figure.unit) },
    { text: inUnit(each.other, each.figure.unit) },
    { text: each.ratio === null ? NOTHING : `× ${ratio(each.ratio.median)}`, style: styleOf(each) },
    { text: each.ratio === null ? NOTHING : `${ratio(each.ratio.min)}–${ratio(each.ratio.max)}` },
    { text: each.statement, style: styleOf(each) },
  ])
  const head = ['Figure', plain(side.base), plain(side.other), 'ratio', 'spread', 'pair by pair']
  return [
    canvas.paint('strong', title),
    ...notes,
    ...tabulated({ head, rows, dispensable: [4, 5], words: [5] }, canvas),
  ]
}

function styleOf({ finding, direction, figure: { kind } }: FigureComparison): Style {
  const certain = finding === 'beyond-noise' || kind === 'fault'
  if (!certain || direction === 'none') return 'faint'
  return direction === 'better' ? 'good' : 'bad'
}
