/** Writes a log as lines of a file, with one batch of entries in memory at a time. */
import type { ExportLine, HeaderLine, LogSource, TransferCounts } from './lines.ts'
import { FORMAT_VERSION } from './lines.ts'

export interface ExportOptions {
  source: LogSource
  cluster: string
  exportedAt: Date
  /** Resolves when more can be written. */
  write: (text: string) => Promise<void>
  onProgress: (counts: Readonly<TransferCounts>) => void
}

export async function exportLog(options: ExportOptions): Promise<TransferCounts> {
  const { source, cluster, exportedAt, onProgress } = options
  const counts: TransferCounts = { rooms: 0, entries: 0, users: 0 }
  const write = (lines: readonly ExportLine[]) =>
    options.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  await write([header(cluster, exportedAt)])
  for await (const room of source.rooms()) {
    await write([room.line])
    for await (const entries of room.entries()) {
      await write(entries)
      counts.entries += entries.length
      onProgress(counts)
    }
    counts.rooms += 1
    onProgress(counts)
  }
  for await (const user of source.users()) {
    await write([user])
    counts.users += 1
    onProgress(counts)
  }
  await write([{ type: 'end', ...counts }])
  return counts
}

function header(cluster: string, exportedAt: Date): HeaderLine {
  return {
    type: 'header',
    format: 'rookery-log',
    version: FORMAT_VERSION,
    exportedAt: exportedAt.toISOString(),
    cluster,
  }
}
