/** The header of a page with several runs that are not a comparison. Pure. */

import { countOf } from '../../../src/core/count-of.ts'
import type { Tour } from '../compare/comparison.ts'
import { runsOf } from '../document.ts'
import { outcomeOf, RUN_STATUS_WORDS, worst } from '../outcome.ts'
import { type Html, html } from './html.ts'
import { repeatOf, when } from './page-footer.ts'
import { runsTable } from './page-runs.ts'

export function tourHeader(tour: Tour): { title: string; header: Html } {
  const outcomes = tour.results.map(outcomeOf)
  const status = worst(outcomes)
  const held = outcomes.filter((outcome) => outcome.status === 'passed').length
  const title = `${RUN_STATUS_WORDS[status]}: ${tour.title}`
  const header = html`<header class="verdict ${status}">
<p class="eyebrow">Load tests · ${when(tour)}</p>
<h1><span class="badge ${status}">${RUN_STATUS_WORDS[status]}</span> ${tour.title}</h1>
<p class="invariant">${held} of ${countOf(tour.results.length, 'run')} passed${tour.interrupted ? '; interrupted before the end' : ''}.</p>
</header>
<section class="overview"><h2>Runs</h2>${runsTable(runsOf(tour))}
<h3>Run it again</h3><pre tabindex="0"><code>${repeatOf(tour)}</code></pre></section>`
  return { title, header }
}
