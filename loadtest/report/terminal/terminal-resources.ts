/** Resource counts before and after a load, on a terminal. Pure. */
import { hasReturned } from '../../measure/resources/compare-resources.ts'
import type { Baseline, RunResult } from '../../model/result.ts'
import { BASELINE_TITLES } from '../figures.ts'
import { inUnit, plain } from '../format.ts'
import { type Canvas, labelled } from './layout.ts'

type Row = Baseline['rows'][number]

/** One paragraph per process group, for each count (with all clients, with none). */
export function baselineLines({ baselines = [] }: RunResult, canvas: Canvas): string[] {
  return baselines.flatMap((baseline) =>
    groupsOf(baseline).flatMap(([group, rows]) =>
      labelled(
        'Held',
        [
          { text: `${plain(group)}, ${BASELINE_TITLES[baseline.clients]}`, style: 'faint' as const },
          ...rows.map((row) => ({
            text: `${plain(row.what)} ${inUnit(row.before, row.unit)} → ${inUnit(row.after, row.unit)}`,
            ...(hasReturned(row) ? {} : { style: 'bad' as const }),
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
