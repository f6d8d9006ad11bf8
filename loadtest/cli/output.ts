/** Writes a result to a directory and to the terminal (as a table or JSON), and derives the exit code. */
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isComparison, isTour, type ReportDocument, runsOf } from '../report/document.ts'
import { writeReport } from '../report/files.ts'
import { outcomeOf, type RunStatus, worst } from '../report/outcome.ts'
import type { Canvas } from '../report/terminal/layout.ts'
import { columnsOf, paintFor } from '../report/terminal/paint.ts'
import { terminalDocument } from '../report/terminal/terminal-document.ts'
import { EXIT_CODES } from '../run/exit-codes.ts'
import type { Output } from './flags.ts'

/** @returns the exit code */
export async function writeResult(document: ReportDocument, output: Output): Promise<number> {
  const cwd = process.cwd()
  const paths = await writeReport(document, {
    cwd,
    ...(output.out === undefined ? {} : { directory: output.out }),
  })
  if (!output.page) await rm(resolve(cwd, paths.page))
  const written = output.page ? `Report: ${paths.page}\nResult: ${paths.json}` : `Result: ${paths.json}`
  if (output.json === true) {
    process.stdout.write(`${JSON.stringify(document)}\n`)
    process.stderr.write(`${written}\n`)
  } else {
    process.stdout.write(`${terminalDocument(document, canvas()).join('\n')}\n\n${written}\n`)
  }
  return exitCodeOf(document)
}

export const canvas = (): Canvas => ({ columns: columnsOf(process.stdout), paint: paintFor(process.stdout) })

export function exitCodeOf(document: ReportDocument): number {
  const results = runsOf(document).map(({ result }) => result)
  const isInterrupted = results.some(({ interrupted }) => interrupted)
  if (isInterrupted || ((isTour(document) || isComparison(document)) && document.interrupted))
    return EXIT_CODES.interrupted.code
  return codeOf(worst(results.map(outcomeOf)))
}

export function codeOf(status: RunStatus): number {
  return EXIT_CODES[status].code
}
