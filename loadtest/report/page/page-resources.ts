/** Resource counts before and after a load, as tables of a page. Pure. */
import { hasReturned } from '../../measure/resources/compare-resources.ts'
import type { Baseline, RunResult } from '../../model/result.ts'
import { BASELINE_TITLES } from '../figures.ts'
import { duration, inUnit, NOTHING } from '../format.ts'
import { type Html, html } from './html.ts'
import { pageTable } from './page-parts.ts'

type Row = Baseline['rows'][number]

export function baselineTables({ baselines = [] }: RunResult): Html[] {
  return baselines.map((baseline) =>
    pageTable({
      caption: `What the servers held with ${BASELINE_TITLES[baseline.clients]}: before, and ${duration(baseline.waitedMs)} after all was quiet`,
      head: ['', 'before', 'after', 'may be', '', 'changed'],
      rows: baseline.rows.map(tableRow),
      words: [3, 4, 5],
      wide: true,
    }),
  )
}

function tableRow(row: Row) {
  const back = hasReturned(row)
  const badge = html`<span class="badge ${back ? 'passed' : 'failed'}">${back ? 'back' : 'not back'}</span>`
  return [
    `${row.of}: ${row.what}`,
    inUnit(row.before, row.unit),
    inUnit(row.after, row.unit),
    allowance(row),
    row.most === null ? '' : badge,
    row.changed,
  ]
}

function allowance({ least, most, unit }: Row): string {
  if (most === null) return NOTHING
  return least === null ? `at most ${inUnit(most, unit)}` : inUnit(most, unit)
}
