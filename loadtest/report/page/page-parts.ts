/** Repeated parts of a page: verdicts, tables, facts. Pure. */

import { headline, type Outcome } from '../outcome.ts'
import { type Content, type Html, html } from './html.ts'

export function badge(outcome: Outcome): Html {
  return html`<span class="badge ${outcome.status}">${headline(outcome)}</span>`
}

export function reasonsOf({ reasons }: Outcome): Html | '' {
  return reasons.length === 0
    ? ''
    : html`<ul class="reasons">${reasons.map((text) => html`<li>${text}</li>`)}</ul>`
}

export interface PageTable {
  caption: string
  head: readonly Content[]
  /** The first cell of a row is its name. */
  rows: readonly (readonly Content[])[]
  /** Columns of text; all others except the first are numbers. */
  words?: readonly number[]
  /** As wide as the page. */
  wide?: boolean
}

/** A table wider than the screen scrolls on its own, also by keyboard. */
export function pageTable({ caption, head, rows, words = [], wide = false }: PageTable): Html {
  const kind = (column: number): string => (column === 0 || words.includes(column) ? 'word' : 'number')
  const body = rows.map(
    (row) =>
      html`<tr>${row.map((cell, column) => (column === 0 ? rowHead(cell) : html`<td class="${kind(column)}">${cell}</td>`))}</tr>\n`,
  )
  return html`<div class="scroll${wide ? ' wide' : ''}" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((cell, column) => html`<th scope="col" class="${kind(column)}">${cell}</th>`)}</tr></thead>
<tbody>${body}</tbody></table></div>`
}

function rowHead(cell: Content): Html {
  return html`<th scope="row">${cell}</th>`
}

export function facts(pairs: readonly (readonly [string, Content])[]): Html {
  return html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`
}

export interface Tile {
  title: string
  value: string
  detail: string
  tone?: 'good' | 'bad'
}

export function tiles(of: readonly Tile[]): Html {
  const each = of.map(
    ({ title, value, detail, tone = '' }) =>
      html`<div class="tile ${tone}"><dt>${title}</dt><dd><span class="value">${value}</span> <span class="detail">${detail}</span></dd></div>\n`,
  )
  return html`<dl class="tiles">${each}</dl>`
}
