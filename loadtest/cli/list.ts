/** `list`: all scenarios and targets. */
import { HTTP_SCENARIOS } from '../http/scenarios.ts'
import { type Canvas, paragraph } from '../report/terminal/layout.ts'
import { columnsOf, paintFor } from '../report/terminal/paint.ts'
import { SCENARIOS } from '../scenarios/index.ts'
import { targets } from '../targets/index.ts'
import type { Flags } from './flags.ts'

export function list({ json }: Flags): void {
  if (json === true) return void process.stdout.write(`${JSON.stringify(catalogue(), null, 2)}\n`)
  const canvas = { columns: columnsOf(process.stdout), paint: paintFor(process.stdout) }
  process.stdout.write(`${lines(canvas).join('\n')}\n`)
}

function catalogue() {
  const scenarios = SCENARIOS.map(({ name, title, invariant, defaults, needs, minHosts, minWorkers }) => ({
    name,
    title,
    invariant,
    defaults,
    needs,
    minHosts,
    minWorkers,
  }))
  const http = HTTP_SCENARIOS.map(({ name, title, invariant, defaults }) => ({
    name,
    title,
    invariant,
    defaults,
  }))
  const aims = targets.map(({ name, title, dialects, defaultShape, limits }) => ({
    name,
    title,
    dialects,
    defaultShape,
    limits,
  }))
  return { scenarios, http, targets: aims }
}

function lines(canvas: Canvas): string[] {
  const { scenarios, http, targets: aims } = catalogue()
  return [
    canvas.paint('strong', 'Scenarios'),
    ...scenarios.flatMap(({ name, title, invariant, defaults }) => [
      ...entry(name, title, canvas),
      ...paragraph({ text: `${invariant}.` }, canvas, MARGIN),
      ...detail(`${defaults.clients} clients, ${defaults.ratePerSec}/s, ${defaults.durationSec} s`, canvas),
    ]),
    '',
    canvas.paint('strong', 'HTTP'),
    ...http.flatMap(({ name, title, invariant, defaults }) => [
      ...entry(name, title, canvas),
      ...paragraph({ text: `${invariant}.` }, canvas, MARGIN),
      ...detail(
        `${defaults.connections} connections, ${defaults.ratePerSec}/s, ${defaults.durationSec} s`,
        canvas,
      ),
    ]),
    '',
    canvas.paint('strong', 'Targets'),
    ...aims.flatMap(({ name, title, dialects, defaultShape, limits }) => [
      ...entry(name, title, canvas),
      ...detail(`${dialects.join(', ')}; ${hosts(defaultShape)}, at most ${hosts(limits)}`, canvas),
    ]),
  ]
}

const MARGIN = '    '

const entry = (name: string, title: string, canvas: Canvas): string[] => [
  `  ${canvas.paint('good', name)}`,
  ...paragraph({ text: title }, canvas, MARGIN),
]

const detail = (text: string, canvas: Canvas): string[] => paragraph({ text, style: 'faint' }, canvas, MARGIN)

const hosts = (shape: { hosts: number; workersPerHost: number }): string =>
  `${shape.hosts} × ${shape.workersPerHost} workers`
