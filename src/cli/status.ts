/** `rookery status`: shows the status that the admin listener of a running Rookery returns. */
import { z } from 'zod'
import { localUrl } from '../ops/banner.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { fetchFailure } from './own-host.ts'
import { cellText, table } from './table.ts'

const RESPONSE_TIMEOUT_MS = 5000

export async function showStatus(line: CommandLine, options: Options): Promise<void> {
  const { config } = loadFrom(line, options)
  const status = await askStatus(localUrl(config.adminHost, config.adminPort, '/status'))
  const text = options['json'] === true ? JSON.stringify(status, null, 2) : statusTable(status)
  process.stdout.write(`${text}\n`)
}

async function askStatus(url: string): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS) })
    if (!response.ok) throw new Error(`it answered ${response.status}`)
    return await response.json()
  } catch (error) {
    throw new ExitError('notRunning', `no status from ${url}: ${fetchFailure(error)}`, { cause: error })
  }
}

/** One table for each list of objects, one line for each other value. Shows everything in the status. */
function statusTable(status: unknown): string {
  const parsed = z.record(z.string(), z.unknown()).safeParse(status)
  if (!parsed.success) return JSON.stringify(status)
  return Object.entries(parsed.data)
    .map(([name, value]) => statusPart(name, value))
    .join('\n')
}

function statusPart(name: string, value: unknown): string {
  const rows = z.array(z.record(z.string(), z.unknown())).min(1).safeParse(value)
  if (!rows.success) return `${name}: ${cellText(value)}`
  const columns = [...new Set(rows.data.flatMap((row) => Object.keys(row)))]
  const lines = rows.data.map((row) => columns.map((column) => cellText(row[column])))
  return `\n${name}\n${table(columns, lines)}`
}
