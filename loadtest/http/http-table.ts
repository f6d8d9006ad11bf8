/** A result over HTTP as a table for a terminal. Pure. */

import { PERCENTILES } from '../report/figures.ts'
import { bytes, duration, inUnit, percent, plain, whole } from '../report/format.ts'
import { RUN_STATUS_WORDS, type RunStatus } from '../report/outcome.ts'
import { type Canvas, labelled, paragraph, tabulated } from '../report/terminal/layout.ts'
import { RUN_STATUS_STYLES } from '../report/terminal/terminal-run.ts'
import type { HttpResult } from './http-result.ts'

export function runStatusOf({ valid, checks }: HttpResult): RunStatus {
  if (!valid) return 'invalid'
  return checks.every(({ ok }) => ok) ? 'passed' : 'failed'
}

/** @returns lines without line ends */
export function httpTable(result: HttpResult, canvas: Canvas): string[] {
  const { scenario, target, requests, generator, server } = result
  const status = runStatusOf(result)
  const style = RUN_STATUS_STYLES[status]
  const word = `${RUN_STATUS_WORDS[status]}${result.interrupted ? ' (interrupted)' : ''}`
  const failed = result.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
  return [
    `${canvas.paint(style, word)}  ${canvas.paint('strong', `${scenario.name} on ${plain(target.title)}`)}`,
    ...[...result.invalid, ...failed].flatMap((text) =>
      paragraph({ text: plain(text), style }, canvas, '  ✗ '),
    ),
    ...paragraph({ text: scenario.invariant, style: 'faint' }, canvas),
    '',
    ...labelled('Requests', pieces(requestWords(result)), canvas),
    '',
    ...latencyLines(result, canvas),
    '',
    ...(server === null ? [] : labelled('Servers', pieces(serverWords(server)), canvas)),
    ...labelled(
      'Generator',
      pieces([
        `${percent(generator.cpuShare)} of a core`,
        `event loop late by ${inUnit(generator.eventLoopDelayP99Ms, 'ms')} (p99)`,
        `${whole(requests.connections)} connections`,
      ]),
      canvas,
    ),
  ]
}

const pieces = (words: readonly string[]) => words.map((text) => ({ text }))

function requestWords({ requests, durationMs }: HttpResult): string[] {
  return [
    `${whole(requests.answered)} responses in ${duration(durationMs)}`,
    `${requests.askedPerSec} requests/s asked for, ${requests.answeredPerSec.toFixed(1)}/s answered`,
    ...Object.entries(requests.byStatus).map(([status, count]) => `${plain(status)}: ${whole(count)}`),
    `${whole(requests.errors)} errors`,
    `${whole(requests.timeouts)} time-outs`,
    `${whole(requests.mismatches)} wrong bodies`,
    bytes(requests.bytes),
  ]
}

function serverWords(server: NonNullable<HttpResult['server']>): string[] {
  return [
    ...(server.cpuUsPerRequest === null ? [] : [`${inUnit(server.cpuUsPerRequest, 'µs')} CPU per request`]),
    ...Object.entries(server.cpuMsByRole).map(([role, ms]) => `${role} ${inUnit(ms, 'ms')}`),
    `${bytes(server.rssMaxBytes)} at most`,
  ]
}

function latencyLines({ latency }: HttpResult, canvas: Canvas): string[] {
  const rows = [
    ['corrected', latency.corrected],
    ['as measured', latency.measured],
  ] as const
  return tabulated(
    {
      head: ['Latency, ms', ...PERCENTILES.map(({ title }) => title)],
      rows: rows.map(([name, summary]) => [
        { text: name },
        ...PERCENTILES.map(({ key }) => ({ text: inUnit(Number(summary[key]), 'ms') })),
      ]),
      dispensable: [],
    },
    canvas,
  )
}
