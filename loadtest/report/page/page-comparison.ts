/** A comparison on a page: ratios with their spread and findings, and the distributions in one plot. Pure. */

import { countOf } from '../../../src/core/count-of.ts'
import { compare, type FigureComparison, type SideComparison } from '../compare/compare.ts'
import type { Comparison, Side } from '../compare/comparison.ts'
import { runsOf } from '../document.ts'
import { inUnit, NOTHING, ratio } from '../format.ts'
import { titleOf } from '../terminal/terminal-document.ts'
import { type Curve, pointsOf } from './distribution.ts'
import { type Html, html, jsonBlock } from './html.ts'
import { repeatOf, when } from './page-footer.ts'
import { pageTable } from './page-parts.ts'
import { runsTable } from './page-runs.ts'

/** @throws NotComparable */
export function comparisonHeader(comparison: Comparison): { title: string; header: Html } {
  const compared = compare(comparison)
  const title = titleOf(comparison)
  const header = html`<header class="verdict">
<p class="eyebrow">Comparison of load tests · ${when(comparison)}</p>
<h1>${title}</h1>
${compared.map(summary)}
</header>`
  return { title, header }
}

/** One sentence with the figure that suffers least from a noisy machine. */
function summary({ figures, base, other, pairs }: SideComparison): Html {
  const cpu = figures.find(({ figure }) => figure.key === 'cpuPerDelivery')
  const said =
    cpu === undefined || cpu.ratio === null
      ? 'no server CPU was measured'
      : `× ${ratio(cpu.ratio.median)} the server CPU per delivery, ${cpu.statement}`
  return html`<p class="invariant"><strong>${other}</strong> to <strong>${base}</strong>, ${countOf(pairs, 'pair')} of runs: ${said}.</p>`
}

export function comparisonSections(comparison: Comparison): Html {
  return html`<section class="overview">
${compare(comparison).map(ratioSection)}
<p class="note">The runs took turns, and each ratio is of two neighbouring runs, so whatever slows the machine down slows both. By chance alone, one in sixteen figures without a difference looks certain: read them together. Losses have no ratio, because the goal is 0 and a loss is not a measuring error.</p>
<h3>Delivery latency by percentile, run by run</h3>
<div class="distribution" data-run="comparison"></div>
${jsonBlock('comparison-data', { curves: curvesOfSides(comparison.sides) })}
<h2>Every run</h2>
${extraRunsNote(comparison)}
${runsTable(runsOf(comparison))}
<h3>Run it again</h3><pre tabindex="0"><code>${repeatOf(comparison)}</code></pre>
</section>`
}

function extraRunsNote({ beside }: Comparison): Html | '' {
  if (beside.length === 0) return ''
  const names = beside.map(({ label }) => label).join(', ')
  return html`<p class="note">In addition: ${names}. Not comparable, so shown as separate rows and not part of any ratio.</p>`
}

function ratioSection(side: SideComparison): Html {
  const rows = side.figures.map((each) => [
    each.figure.title,
    inUnit(each.base, each.figure.unit),
    inUnit(each.other, each.figure.unit),
    ratioCell(each),
    each.ratio === null ? NOTHING : `${ratio(each.ratio.min)} – ${ratio(each.ratio.max)}`,
    statementCell(each),
  ])
  const head = ['figure', side.base, side.other, 'ratio', 'least – most', 'pair by pair']
  const caption = `${side.other} to ${side.base}, over ${countOf(side.pairs, 'pair')}`
  const notes = side.notes.map((note) => html`<li>${note}</li>`)
  return html`<h2>${side.other} against ${side.base}</h2>
${notes.length === 0 ? '' : html`<ul class="notes">${notes}</ul>`}
${pageTable({ caption, head, rows, words: [5], wide: true })}`
}

function ratioCell(of: FigureComparison): Html | string {
  return of.ratio === null ? NOTHING : html`<strong>× ${ratio(of.ratio.median)}</strong>`
}

function statementCell({ finding, direction, statement, figure: { kind } }: FigureComparison): Html {
  const sure = (finding === 'beyond-noise' || kind === 'fault') && direction !== 'none'
  const verdict = sure ? html`<span class="badge ${direction}">${direction}</span> ` : ''
  return html`${verdict}${statement}`
}

function curvesOfSides(sides: readonly Side[]): (Curve & { group: number })[] {
  return sides.flatMap(({ label, results }, group) =>
    results.flatMap(({ latency: { delivery }, valid }, index) => {
      if (!valid || delivery.count === 0) return []
      return [{ label: `${label} ${index + 1}`, points: pointsOf(delivery, 'delivery'), group }]
    }),
  )
}
