/**
 * A self-contained page: verdict, figures, charts, and how to repeat the run. It loads nothing, and its
 * policy forbids everything that it does not contain.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inPackage, installedAt } from '../../system/package-root.ts'
import { isComparison, isTour, type ReportDocument, runsOf } from '../document.ts'
import { type Content, Html, html } from './html.ts'
import { comparisonHeader, comparisonSections } from './page-comparison.ts'
import { sourceNote } from './page-footer.ts'
import { runHeader, runSection } from './page-run.ts'
import { tourHeader } from './page-tour.ts'

interface Assets {
  style: string
  scripts: string[]
}

/** @throws NotComparable, and if a histogram cannot be read */
export async function reportPage(document: ReportDocument): Promise<string> {
  const assets = await assetsOfPage()
  const { title, header } = headOf(document)
  const runs = runsOf(document)
  const body = html`
<a class="skip" href="#runs">To the runs</a>
${header}
<main>
${isComparison(document) ? comparisonSections(document) : ''}
<div id="runs">${runs.map((run, index) => runSection(run, { index, alone: runs.length === 1 }))}</div>
</main>
${sourceNote(document)}`
  return wholePage({ title, body, assets })
}

function headOf(document: ReportDocument): { title: string; header: Html } {
  if (isComparison(document)) return comparisonHeader(document)
  return isTour(document) ? tourHeader(document) : runHeader(document)
}

function wholePage({ title, body, assets }: { title: string; body: Html; assets: Assets }): string {
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(assets.style)}`,
    `script-src ${assets.scripts.map(hashOf).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const scripts: Content = assets.scripts.map((script) => new Html(`<script>${script}</script>\n`))
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html(assets.style)}</style>
</head>
<body>
${body}
${scripts}</body>
</html>
`.text
}

async function assetsOfPage(): Promise<Assets> {
  const plots = installedAt('uplot')
  if (plots === undefined) throw new Error('the package uplot is not installed: without it there is no page')
  const [plotStyle, plotScript, style, script] = await Promise.all([
    readFile(join(plots, 'dist/uPlot.min.css'), 'utf8'),
    readFile(join(plots, 'dist/uPlot.iife.min.js'), 'utf8'),
    readFile(inPackage('loadtest/report/page/page.css'), 'utf8'),
    readFile(inPackage('loadtest/report/page/page.js'), 'utf8'),
  ])
  return { style: plotStyle + style, scripts: [plotScript, script].map(asElement) }
}

/** A script must not contain the end of its element. */
function asElement(script: string): string {
  return script.replaceAll('</script', String.raw`<\/script`)
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
