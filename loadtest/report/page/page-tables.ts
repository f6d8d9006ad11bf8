/** A run's figures and environment as tables. Pure. */
import type { RunResult } from '../../model/result.ts'
import { LATENCIES, LATENCY_NAMES, PERCENTILES } from '../figures.ts'
import { bytes, digits, duration, inUnit, NOTHING, percent, whole } from '../format.ts'
import { type Content, type Html, html } from './html.ts'
import { when } from './page-footer.ts'
import { facts, pageTable } from './page-parts.ts'
import { baselineTables } from './page-resources.ts'

export function figureTables(result: RunResult): Html {
  return html`<h3>In numbers</h3>
${latencyTable(result)}
${auditTable(result)}
${result.checks.length === 0 ? '' : checksTable(result)}
${result.steps === null || result.steps.length === 0 ? '' : stepsTable(result.steps)}
${baselineTables(result)}
<div class="beside">${serverTable(result)}
<div>${generatorTable(result)}
${countsTable('Refusals', result.refusals)}
${countsTable('Failed connects', result.connectErrors)}</div></div>`
}

function latencyTable({ latency }: RunResult): Html {
  const rows = LATENCY_NAMES.map((name) => [
    html`${LATENCIES[name].title} <span class="faint">${LATENCIES[name].meaning}</span>`,
    whole(latency[name].count),
    ...PERCENTILES.map(({ key }) =>
      latency[name].count === 0 ? NOTHING : digits(Number(latency[name][key])),
    ),
  ])
  const head = ['', 'count', ...PERCENTILES.map(({ title }) => title)]
  return pageTable({ caption: 'Latency, in milliseconds', head, rows, wide: true })
}

function auditTable({ verdict }: RunResult): Html {
  const rows: [string, number, string][] = [
    ['due', verdict.due, 'messages, by the plan'],
    ['never sent', verdict.due - verdict.sent, 'of these: their sender was away, or its backlog was full'],
    ['sent', verdict.sent, 'the others'],
    ['acked', verdict.acked, 'of these'],
    ['refused', verdict.refused, 'for good'],
    ['without an answer', verdict.unanswered, 'until the time-out'],
    ['expected', verdict.expected, 'deliveries of acked messages to members'],
    ['delivered', verdict.delivered, 'of these'],
    ['lost', verdict.lost, `must be 0; ${whole(verdict.lostWhileAway)} while their member was away`],
    ['duplicates', verdict.doubled, 'must be 0'],
    ['out of order', verdict.outOfOrder, 'must be 0'],
    ['phantom', verdict.phantom, 'must be 0: delivered, but never sent by this run'],
    ['delivered unacked', verdict.shownUnacked, 'allowed: the ack may be lost'],
    ['pairs in two orders', verdict.ordersDiffer, 'among members; Socket.IO promises no common order'],
  ]
  const table = pageTable({
    caption: 'Results of the audit',
    head: ['', 'count', ''],
    rows: rows.map(([name, count, meaning]) => [name, whole(count), meaning]),
    words: [2],
  })
  const examples = verdict.examples.map((text) => html`<li>${text}</li>`)
  return examples.length === 0 ? table : html`${table}<h4>Examples</h4><ul class="examples">${examples}</ul>`
}

function checksTable({ checks }: RunResult): Html {
  const rows = checks.map(({ name, ok, detail }) => [
    name,
    html`<span class="badge ${ok ? 'passed' : 'failed'}">${ok ? 'holds' : 'broken'}</span>`,
    detail,
  ])
  return pageTable({
    caption: 'Checks of the scenario',
    head: ['check', '', 'found'],
    rows,
    words: [1, 2],
  })
}

function stepsTable(steps: NonNullable<RunResult['steps']>): Html {
  const rows = steps.map((step) => [
    `${digits(step.ratePerSec)}/s`,
    digits(step.deliveredPerSec),
    digits(step.deliveryP99Ms),
    inUnit(step.cpuUsPerMessage, 'µs'),
    html`<span class="badge ${step.held ? 'passed' : 'failed'}">${step.held ? 'held' : 'not held'}</span>`,
  ])
  const head = ['rate', 'deliveries/s', 'delivery p99, ms', 'CPU per message', '']
  return pageTable({ caption: 'The search for the limit, step by step', head, rows, words: [4] })
}

function serverTable({ server }: RunResult): Html | '' {
  if (server === null) return ''
  const rows: Content[][] = [
    ['CPU per message', inUnit(server.cpuUsPerMessage, 'µs')],
    ['CPU per delivery', inUnit(server.cpuUsPerDelivery, 'µs')],
    ...Object.entries(server.cpuMsByRole).map(([role, ms]) => [`CPU time under load: ${role}`, duration(ms)]),
    ['memory, largest sum of all processes', bytes(server.rssMaxBytes)],
    ['memory per client', inUnit(server.rssPerClientBytes, 'bytes')],
    ['event-loop delay p99, worst process', inUnit(server.eventLoopDelayP99Ms, 'ms')],
    ['bytes out of Redis', inUnit(server.redisBytesOut, 'bytes')],
  ]
  return pageTable({ caption: 'Servers', head: ['', 'figure'], rows })
}

function generatorTable({ generator }: RunResult): Html {
  const rows = generator.agents.map((agent, index) => [
    `process ${index}`,
    whole(agent.clients),
    percent(agent.cpuShare),
    `${digits(agent.eventLoopDelayP99Ms)} ms`,
    `${digits(agent.lateMaxMs)} ms`,
  ])
  const head = ['', 'clients', 'CPU of a core', 'loop delay p99', 'sends late by']
  return pageTable({ caption: 'The load generator’s own health', head, rows })
}

function countsTable(caption: string, counts: Readonly<Record<string, number>>): Html | '' {
  const rows = Object.entries(counts).map(([code, count]) => [code, whole(count)])
  return rows.length === 0 ? '' : pageTable({ caption, head: ['', 'count'], rows })
}

/** The environment of the run. */
export function factTables(result: RunResult): Html {
  const { machine, tool, target, clients } = result
  return html`<h3>Environment</h3>
${facts([
  ['Began', when(result)],
  ['Seed', html`<code>${result.seed}</code>`],
  ['Commit', tool.commit === null ? NOTHING : html`<code>${tool.commit}</code>`],
  ['Suite', tool.version],
  ['Kind of target', target.title],
  ['Clients by process', clients.perAgent.map(whole).join(' + ')],
  ['CPU', `${machine.cpu}, ${machine.cores} cores`],
  ['Memory', bytes(machine.memoryBytes)],
  ['System', machine.os],
  ['Node', machine.node],
  ['Redis', machine.redis ?? NOTHING],
  ['Load before', digits(machine.loadAverage)],
])}
<div class="beside">${namedTable('Arguments', result.arguments)}
${namedTable('Versions', machine.packages)}</div>`
}

function namedTable(caption: string, values: RunResult['arguments']): Html {
  const rows = Object.entries(values).map(([name, value]) => [name, html`<code>${String(value)}</code>`])
  return pageTable({ caption, head: ['', 'value'], rows, words: [1] })
}
