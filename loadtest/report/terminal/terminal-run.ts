/** A result on a terminal: verdict first, then latency, rates, cost, and the generator's health. Pure. */

import { countOf } from '../../../src/core/count-of.ts'
import type { RunResult } from '../../model/result.ts'
import { LATENCIES, LATENCY_NAMES, loadedSeconds, meanOf, PERCENTILES } from '../figures.ts'
import {
  bytes,
  digits,
  duration,
  inUnit,
  moment,
  NOTHING,
  percent,
  plain,
  type Unit,
  whole,
} from '../format.ts'
import { headline, outcomeOf, type RunStatus } from '../outcome.ts'
import { type Canvas, labelled, type Piece, paragraph, tabulated } from './layout.ts'
import type { Style } from './paint.ts'
import { baselineLines } from './terminal-resources.ts'

export const RUN_STATUS_STYLES: Readonly<Record<RunStatus, Style>> = {
  passed: 'good',
  failed: 'bad',
  invalid: 'warning',
}

/** @returns lines without line ends */
export function terminalReport(result: RunResult, canvas: Canvas): string[] {
  return [
    ...verdictLines(result, canvas),
    '',
    ...messageLines(result, canvas),
    '',
    ...latencyLines(result, canvas),
    '',
    ...rateLines(result, canvas),
    ...serverLines(result, canvas),
    ...baselineLines(result, canvas),
    ...faultLines(result, canvas),
    ...generatorLines(result, canvas),
    ...checkLines(result, canvas),
    ...stepLines(result, canvas),
    ...machineLines(result, canvas),
  ]
}

function verdictLines(result: RunResult, canvas: Canvas): string[] {
  const outcome = outcomeOf(result)
  const style = RUN_STATUS_STYLES[outcome.status]
  const head = `${plain(result.scenario.name)} on ${plain(result.target.title)}`
  const { asked, joined } = result.clients
  const facts = [
    `${result.dialect} dialect, ${result.kind} clients`,
    joined === asked ? countOf(asked, 'client') : `${whole(joined)} of ${whole(asked)} clients joined`,
    duration(result.durationMs),
    `seed ${result.seed}`,
  ]
  return [
    `${canvas.paint(style, headline(outcome))}  ${canvas.paint('strong', head)}`,
    ...outcome.reasons.flatMap((reason) => paragraph({ text: plain(reason), style }, canvas, '  ✗ ')),
    ...paragraph({ text: plain(result.scenario.invariant), style: 'faint' }, canvas),
    ...paragraph({ text: facts.join(', '), style: 'faint' }, canvas),
  ]
}

/** A number that should be 0. */
function expectZero(count: number, words: string): Piece {
  return { text: `${whole(count)} ${words}`, ...(count === 0 ? {} : { style: 'bad' as const }) }
}

function messageLines({ verdict }: RunResult, canvas: Canvas): string[] {
  const unsent = verdict.due - verdict.sent
  const sends = [
    { text: `${whole(verdict.due)} due` },
    ...(unsent === 0 ? [] : [expectZero(unsent, 'never sent')]),
    { text: `${whole(verdict.sent)} sent` },
    { text: `${whole(verdict.acked)} acked` },
    { text: `${whole(verdict.refused)} refused` },
    { text: `${whole(verdict.unanswered)} without an answer` },
  ]
  const deliveries = [
    { text: `${whole(verdict.expected)} expected` },
    { text: `${whole(verdict.delivered)} delivered` },
    expectZero(verdict.lost, 'lost'),
    expectZero(verdict.doubled, 'duplicates'),
    expectZero(verdict.outOfOrder, 'out of order'),
    expectZero(verdict.phantom, 'phantom'),
    ...(verdict.shownUnacked === 0 ? [] : [{ text: `${whole(verdict.shownUnacked)} delivered unacked` }]),
    ...(verdict.ordersDiffer === 0 ? [] : [{ text: `${whole(verdict.ordersDiffer)} pairs in two orders` }]),
  ]
  const examples = verdict.examples.map((text) => ({ text: plain(text) }))
  return [
    ...labelled('Messages', sends, canvas),
    ...labelled('Deliveries', deliveries, canvas),
    ...examples.flatMap((example) => labelled('', [{ ...example, style: 'faint' }], canvas)),
  ]
}

function latencyLines({ latency }: RunResult, canvas: Canvas): string[] {
  const rows = LATENCY_NAMES.filter((name) => latency[name].count > 0).map((name) => [
    { text: LATENCIES[name].title },
    { text: whole(latency[name].count) },
    ...PERCENTILES.map(({ key }) => ({ text: digits(Number(latency[name][key])) })),
  ])
  if (rows.length === 0) return labelled('Latency', [{ text: 'nothing was measured' }], canvas)
  const head = ['Latency, ms', 'count', ...PERCENTILES.map(({ title }) => title)]
  return tabulated({ head, rows, dispensable: [5, 3] }, canvas)
}

function rateLines(result: RunResult, canvas: Canvas): string[] {
  const seconds = loadedSeconds(result)
  if (seconds.length === 0) return labelled('Rates', [{ text: 'no load' }], canvas)
  const rate = (property: 'sent' | 'acked' | 'delivered'): string =>
    digits(meanOf(seconds, property) ?? Number.NaN)
  const peak = Math.max(...seconds.map(({ delivered }) => delivered))
  return labelled(
    'Rates',
    [
      { text: `${rate('sent')}/s sent` },
      { text: `${rate('acked')}/s acked` },
      { text: `${rate('delivered')}/s delivered (at most ${digits(peak)})` },
      { text: `over ${countOf(seconds.length, 'second')} of load` },
    ],
    canvas,
  )
}

function serverLines({ server }: RunResult, canvas: Canvas): string[] {
  if (server === null) return labelled('Server', [{ text: 'runs elsewhere: not measured' }], canvas)
  const roles = Object.entries(server.cpuMsByRole).map(([role, ms]) => `${plain(role)} ${duration(ms)}`)
  const cpu = [
    ...measured(server.cpuUsPerMessage, 'µs', 'per message'),
    ...measured(server.cpuUsPerDelivery, 'µs', 'per delivery'),
    ...(roles.length === 0 ? [] : [{ text: roles.join(', '), style: 'faint' as const }]),
  ]
  const memory = [
    { text: `${bytes(server.rssMaxBytes)} at most` },
    ...measured(server.rssPerClientBytes, 'bytes', 'per client'),
  ]
  const rest = [
    ...measured(server.eventLoopDelayP99Ms, 'ms', 'event-loop delay p99'),
    ...measured(server.redisBytesOut, 'bytes', 'out of Redis'),
  ]
  return [
    ...labelled('Server CPU', cpu.length === 0 ? [{ text: NOTHING }] : cpu, canvas),
    ...labelled('Memory', memory, canvas),
    ...(rest.length === 0 ? [] : labelled('Server', rest, canvas)),
  ]
}

function measured(value: number | null, unit: Unit, words: string): Piece[] {
  return value === null ? [] : [{ text: `${inUnit(value, unit)} ${words}` }]
}

function counted(counts: Readonly<Record<string, number>>): Piece[] {
  return Object.entries(counts).map(([code, count]) => ({ text: `${whole(count)} × ${plain(code)}` }))
}

function faultLines(result: RunResult, canvas: Canvas): string[] {
  const marks = result.marks.map(({ atMs, label }) => ({ text: `${plain(label)} at ${moment(atMs)}` }))
  const refusals = counted(result.refusals)
  const errors = counted(result.connectErrors)
  return [
    ...(marks.length === 0 ? [] : labelled('Marks', marks, canvas)),
    ...(refusals.length === 0 ? [] : labelled('Refusals', refusals, canvas)),
    ...(errors.length === 0 ? [] : labelled('Connects', errors, canvas)),
  ]
}

function generatorLines({ generator: { agents } }: RunResult, canvas: Canvas): string[] {
  if (agents.length === 0) return []
  const worst = (property: 'cpuShare' | 'eventLoopDelayP99Ms' | 'lateMaxMs'): number =>
    Math.max(...agents.map((agent) => agent[property]))
  return labelled(
    'Generator',
    [
      { text: countOf(agents.length, 'process', 'processes') },
      { text: `CPU ${percent(worst('cpuShare'))} of a core at most` },
      { text: `event-loop delay p99 ${digits(worst('eventLoopDelayP99Ms'))} ms` },
      { text: `sends at most ${digits(worst('lateMaxMs'))} ms late` },
    ],
    canvas,
  )
}

function checkLines({ checks }: RunResult, canvas: Canvas): string[] {
  return checks.flatMap(({ name, ok, detail }, index) =>
    labelled(
      index === 0 ? 'Checks' : '',
      [{ text: `${ok ? '✓' : '✗'} ${plain(name)}: ${plain(detail)}`, style: ok ? 'good' : 'bad' }],
      canvas,
    ),
  )
}

function stepLines({ steps }: RunResult, canvas: Canvas): string[] {
  if (steps === null || steps.length === 0) return []
  const rows = steps.map((step) => [
    { text: `${digits(step.ratePerSec)}/s` },
    { text: digits(step.deliveredPerSec) },
    { text: digits(step.deliveryP99Ms) },
    { text: inUnit(step.cpuUsPerMessage, 'µs') },
    { text: step.held ? 'held' : 'not held', style: step.held ? ('good' as const) : ('bad' as const) },
  ])
  const head = ['Steps', 'delivered/s', 'p99 ms', 'CPU per message', '']
  return ['', ...tabulated({ head, rows }, canvas)]
}

function machineLines({ machine }: RunResult, canvas: Canvas): string[] {
  const { cpu, cores, memoryBytes, node, loadAverage } = machine
  const pieces = [
    { text: `${plain(cpu)}, ${countOf(cores, 'core')}` },
    { text: bytes(memoryBytes) },
    { text: `Node ${plain(node)}` },
    { text: `load ${digits(loadAverage)} before the run` },
  ]
  return labelled(
    'Machine',
    pieces.map((piece) => ({ ...piece, style: 'faint' })),
    canvas,
  )
}
