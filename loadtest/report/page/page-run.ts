/** One run on a page: verdict, key figures, charts and tables. Pure. */

import { countOf } from '../../../src/core/count-of.ts'
import type { RunResult } from '../../model/result.ts'
import { figure } from '../figures.ts'
import { digits, duration, inUnit, whole } from '../format.ts'
import { headline, outcomeOf } from '../outcome.ts'
import { repeatRun } from '../repeat-command.ts'
import { caveatsOf } from './caveats.ts'
import { chartsOf } from './charts.ts'
import { curvesOf } from './distribution.ts'
import { type Html, html, jsonBlock } from './html.ts'
import { when } from './page-footer.ts'
import { badge, reasonsOf, type Tile, tiles } from './page-parts.ts'
import { type LabelledRun, runId } from './page-runs.ts'
import { factTables, figureTables } from './page-tables.ts'

export function runHeader(result: RunResult): { title: string; header: Html } {
  const outcome = outcomeOf(result)
  const title = `${headline(outcome)}: ${result.scenario.name} on ${result.target.name}`
  const header = html`<header class="verdict ${outcome.status}">
<p class="eyebrow">Load test · ${result.scenario.name} · ${when(result)}</p>
<h1>${badge(outcome)} ${result.scenario.title}</h1>
<p class="target">On ${shapeText(result)}. ${factsLine(result)}</p>
${reasonsOf(outcome)}
<p class="invariant"><span>What must hold:</span> ${result.scenario.invariant}.</p>
</header>`
  return { title, header }
}

/** @param of `alone`: the page's header shows the verdict */
export function runSection({ label, result }: LabelledRun, of: { index: number; alone: boolean }): Html {
  const id = runId(of.index)
  const charts = chartsOf(result)
  const data = jsonBlock(`${id}-data`, { ...charts, curves: curvesOf(result) })
  const inner = html`${glance(result)}
<h3>Over time</h3>
${marksList(result)}
<div class="charts" data-run="${id}"></div>
<h3>Latency by percentile</h3>
<p class="note">Of all measurements: the latency that this percentage did not exceed.</p>
<div class="distribution" data-run="${id}"></div>
<noscript><p class="note">The charts are drawn by a script; the tables below have the same figures.</p></noscript>
${figureTables(result)}
<h3>Run it again</h3>
<pre tabindex="0"><code>${repeatRun(result)}</code></pre>
<h3>What the figures do not say</h3>
<ul class="caveats">${caveatsOf(result).map((line) => html`<li>${line}</li>`)}</ul>
${factTables(result)}
${data}`
  if (of.alone) return html`<section class="run" id="${id}"><h2>Figures</h2>${inner}</section>`
  const outcome = outcomeOf(result)
  return html`<details class="run" id="${id}"${of.index === 0 ? html` open` : ''}>
<summary><h2>${of.index + 1}. ${label}: ${result.scenario.name}</h2> ${badge(outcome)}</summary>
<p class="target">${result.scenario.title}, on ${shapeText(result)}. ${factsLine(result)}</p>
${reasonsOf(outcome)}
${inner}</details>`
}

/** What ran this time; the title of a target says what it can be. */
function shapeText({ target: { name, hosts, workersPerHost } }: RunResult): string {
  return `${name}: ${countOf(hosts, 'host')} with ${countOf(workersPerHost, 'worker')}${hosts > 1 ? ' each' : ''}`
}

function factsLine({ clients, dialect, kind, durationMs }: RunResult): string {
  const { asked, joined } = clients
  const who = asked === joined ? countOf(asked, 'client') : `${whole(joined)} of ${whole(asked)} clients`
  return `${who} (${kind}), ${dialect} dialect, ${duration(durationMs)}.`
}

function glance(result: RunResult): Html {
  const { verdict, latency, server } = result
  const wrong = verdict.lost + verdict.doubled + verdict.outOfOrder + verdict.phantom
  const audited: Tile = {
    title: 'Lost',
    value: whole(verdict.lost),
    detail: `of ${whole(verdict.expected)} expected; ${whole(wrong - verdict.lost)} other defects`,
    tone: wrong === 0 ? 'good' : 'bad',
  }
  const delivery: Tile[] =
    latency.delivery.count === 0
      ? []
      : [
          {
            title: 'Delivery p99',
            value: `${digits(latency.delivery.p99Ms)} ms`,
            detail: `p50 ${digits(latency.delivery.p50Ms)}, max ${digits(latency.delivery.maxMs)}`,
          },
        ]
  return tiles([audited, ...delivery, ...rateTile(result), ...(server === null ? [] : serverTiles(result))])
}

function rateTile(result: RunResult): Tile[] {
  const rate = figure('deliveredRate').of(result)
  const { due, sent: made } = result.verdict
  const sent = made === due ? `${whole(made)} messages sent` : `${whole(made)} of ${whole(due)} messages sent`
  return rate === null ? [] : [{ title: 'Deliveries', value: `${digits(rate)}/s`, detail: sent }]
}

function serverTiles(result: RunResult): Tile[] {
  const said = (key: string): string => {
    const { of, unit } = figure(key)
    return inUnit(of(result), unit)
  }
  return [
    {
      title: 'Server CPU',
      value: said('cpuPerMessage'),
      detail: `per message; ${said('cpuPerDelivery')} per delivery`,
    },
    { title: 'Server memory', value: said('rssMax'), detail: `at most; ${said('rssPerClient')} per client` },
  ]
}

function marksList({ marks }: RunResult): Html | '' {
  if (marks.length === 0) return ''
  const each = marks.map(
    ({ atMs, label }, index) =>
      html`<li><span class="mark-number">${index + 1}</span> ${label} <span class="faint">at ${digits(atMs / 1_000)} s</span></li>`,
  )
  return html`<ol class="marks" aria-label="Marks on the time axis">${each}</ol>`
}
