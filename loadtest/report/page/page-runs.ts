/** A table of a page's runs, with links to them. Pure. */
import type { RunResult } from '../../model/result.ts'
import { figure } from '../figures.ts'
import { inUnit } from '../format.ts'
import { outcomeOf } from '../outcome.ts'
import { type Html, html } from './html.ts'
import { badge, pageTable } from './page-parts.ts'

const COLUMNS = ['cpuPerMessage', 'cpuPerDelivery', 'deliveryP50', 'deliveryP99', 'lost']

export const runId = (index: number): string => `run-${index + 1}`

export interface LabelledRun {
  label: string
  result: RunResult
}

export function runsTable(runs: readonly LabelledRun[]): Html {
  const figures = COLUMNS.map(figure).filter(({ of }) => runs.some(({ result }) => of(result) !== null))
  const rows = runs.map(({ label, result }, index) => [
    html`<a href="#${runId(index)}">${index + 1}. ${label}</a>`,
    result.scenario.name,
    result.dialect,
    badge(outcomeOf(result)),
    ...figures.map(({ of, unit }) => inUnit(of(result), unit)),
  ])
  const head = ['run', 'scenario', 'dialect', 'verdict', ...figures.map(({ title }) => title)]
  return pageTable({
    caption: 'All runs, in order',
    head,
    rows,
    words: [1, 2, 3],
    wide: true,
  })
}
