/** The footer of a page: tool version, date, and the command that repeats it. Pure. */
import type { RunResult } from '../../model/result.ts'
import { isComparison, isTour, type ReportDocument } from '../document.ts'
import { repeatComparison, repeatRun, repeatTour } from '../repeat-command.ts'
import { type Html, html } from './html.ts'

export function sourceNote(document: ReportDocument): Html {
  const { version, commit } = document.tool
  const of = commit === null ? '' : `, commit ${commit}`
  return html`<footer><p>Made by the load test of Rookery ${version}${of}, from a run that began at <time datetime="${document.startedAt}">${when(document)}</time>. The JSON file beside this page is its only source.</p></footer>`
}

export function when({ startedAt }: Pick<RunResult, 'startedAt'>): string {
  return `${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC`
}

export function repeatOf(document: ReportDocument): string {
  if (isComparison(document)) return repeatComparison(document)
  return isTour(document) ? repeatTour(document) : repeatRun(document)
}
