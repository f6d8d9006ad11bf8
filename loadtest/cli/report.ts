/** `report`: shows earlier results again, and rebuilds their page. */
import { z } from 'zod'
import { readReport, writePage } from '../report/files.ts'
import { terminalDocument } from '../report/terminal/terminal-document.ts'
import { UsageError } from '../run/exit-codes.ts'
import type { Flags } from './flags.ts'
import { parseFlags } from './flags.ts'
import { canvas } from './output.ts'

const ReportFlags = z.object({ out: z.string().min(1).optional() })

export async function report(files: readonly string[], flags: Flags): Promise<void> {
  const { out } = parseFlags(ReportFlags, flags)
  if (out !== undefined && files.length > 1) throw new UsageError('--out is for the page of one result')
  for (const file of files) {
    const document = await readReport(file)
    process.stdout.write(`${terminalDocument(document, canvas()).join('\n')}\n\n`)
    if (out === undefined) continue
    await writePage(document, out)
    process.stdout.write(`Report: ${out}\n`)
  }
}
