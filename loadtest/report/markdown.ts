/** Results as Markdown tables. Pure; data can't end a cell or start markup. */

import { countOf } from '../../src/core/count-of.ts'
import type { RunResult } from '../model/result.ts'
import { compare } from './compare/compare.ts'
import { isComparison, type ReportDocument, runsOf } from './document.ts'
import { figure } from './figures.ts'
import { inUnit, NOTHING, plain, ratio } from './format.ts'
import { headline, outcomeOf } from './outcome.ts'

const COLUMNS = [
  'cpuPerMessage',
  'cpuPerDelivery',
  'deliveryP50',
  'deliveryP99',
  'connectP99',
  'backP99',
  'rssPerClient',
  'lost',
]

/** One row per run; columns without any value are left out. */
function markdownTable(runs: readonly { label: string; result: RunResult }[]): string {
  const figures = COLUMNS.map(figure).filter(({ of }) => runs.some(({ result }) => of(result) !== null))
  const rows = runs.map(({ label, result }) => [
    cell(label),
    cell(result.scenario.name),
    result.dialect,
    headline(outcomeOf(result)).toLowerCase(),
    ...figures.map(({ of, unit }) => inUnit(of(result), unit)),
  ])
  return tableOf(['target', 'scenario', 'dialect', 'verdict', ...figures.map(({ title }) => title)], rows)
}

/** The ratios of a comparison, one table for each side after the first. @throws NotComparable */
function markdownRatios(document: Parameters<typeof compare>[0]): string {
  return compare(document)
    .map(({ base, other, pairs, figures, notes }) => {
      const rows = figures.map((each) => [
        each.figure.title,
        inUnit(each.base, each.figure.unit),
        inUnit(each.other, each.figure.unit),
        each.ratio === null ? NOTHING : `× ${ratio(each.ratio.median)}`,
        each.ratio === null ? NOTHING : `${ratio(each.ratio.min)}–${ratio(each.ratio.max)}`,
        each.statement,
      ])
      const head = ['figure', cell(base), cell(other), 'ratio', 'spread', `over ${countOf(pairs, 'pair')}`]
      return [tableOf(head, rows), ...notes.map((note) => `\n- ${cell(note)}`)].join('\n')
    })
    .join('\n\n')
}

/** The runs, the ratios if there are any, and the machine. @throws NotComparable */
export function markdownReport(document: ReportDocument): string {
  const runs = runsOf(document)
  const machines = new Set(runs.map(({ result }) => machineLine(result)))
  const ratios = isComparison(document) ? [markdownRatios(document)] : []
  return `${[markdownTable(runs), ...ratios, ...machines].join('\n\n')}\n`
}

function machineLine({ machine, tool }: RunResult): string {
  const { cpu, cores, os, node, redis } = machine
  const commit = tool.commit === null ? '' : `, commit ${cell(tool.commit.slice(0, 12))}`
  const store = redis === null ? '' : `, Redis ${cell(redis)}`
  return `${cell(cpu)}, ${countOf(cores, 'core')}, ${cell(os)}, Node ${cell(node)}${store}${commit}.`
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map((_, column) => (column < 3 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  )
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

function cell(text: string): string {
  return plain(text).replace(/[\\`*_{}[\]<>|#~!&]/g, String.raw`\$&`)
}
