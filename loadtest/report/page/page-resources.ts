/** Resource counts before and after a load, as tables of a page. Pure. */
import { isBack } from '../../measure/resources/compare-resources.ts'
import type { Baseline, RunResult } from '../../model/result.ts'
import { duration, inUnit, NOTHING, plain } from '../format.ts'
import { type Canvas, labelled } from '../terminal/layout.ts'
import { type Html, html } from './html.ts'
import { pageTable } from './page-parts.ts'

type Row = Baseline['rows'][number]

const TITLES: Readonly<Record<Baseline['clients'], string>> = {
  all: 'all clients in their rooms',
  none: 'no client',
}

/** One paragraph per process group, for each count (with all clients, with none). */
export function baselineLines({ baselines = [] }: RunResult, canvas: Canvas): string[] {
  return baselines.flatMap((baseline) =>
    groupsOf(baseline).flatMap(([group, rows]) =>
      labelled(
        'Held',
        [
          { text: `${plain(group)}, ${TITLES[baseline.clients]}`, style: 'faint' as const },
          ...rows.map((row) => ({
            text: `${plain(row.what)} ${inUnit(row.before, row.unit)} → ${inUnit(row.after, row.unit)}`,
            ...(isBack(row) ? {} : { style: 'bad' as const }),
          })),
        ],
        canvas,
      ),
    ),
  )
}

function groupsOf({ rows }: Baseline): [string, Row[]][] {
  const groups = [...new Set(rows.map(({ of }) => of))]
  return groups.map((group) => [group, rows.filter(({ of }) => of === group)])
}

export function baselineTables({ baselines = [] }: RunResult): Html[] {
  return baselines.map((baseline) =>
    pageTable({
      caption: `What the servers held with ${TITLES[baseline.clients]}: before, and ${duration(baseline.waitedMs)} after all was quiet`,
      head: ['', 'before', 'after', 'may be', '', 'changed'],
      rows: baseline.rows.map(tableRow),
      words: [3, 4, 5],
      wide: true,
    }),
  )
}

function tableRow(row: Row) {
  const back = isBack(row)
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
