/** The message on a terminal when Rookery is ready. Under a process manager there is only the log. */
import type { Config } from '../config/schema.ts'
import { isPretty } from './logger.ts'

export interface Listening {
  readonly port: number
  readonly adminPort: number
}

/** Writes the banner to stderr if that is a terminal. */
export function showBanner(config: Config, listening: Listening): void {
  if (isPretty(config.logFormat) && process.stderr.isTTY) process.stderr.write(banner(config, listening))
}

export function banner(config: Config, { port, adminPort }: Listening): string {
  const rows = [
    ['open', `http://${reachable(config.host)}:${port}/`],
    ['workers', String(config.workers)],
    ['running', config.app ?? 'the chat'],
    ['data', config.dataDir],
    ['admin', `http://${reachable(config.adminHost)}:${adminPort}/`],
  ] as const
  const lines = rows.map(([name, value]) => `  ${name.padEnd(9)}${value}`)
  return `\n  Rookery is ready. Ctrl-C stops it.\n\n${lines.join('\n')}\n\n`
}

/** An address that a browser on this machine can open. */
function reachable(address: string): string {
  if (address === '0.0.0.0' || address === '::') return 'localhost'
  return address.includes(':') ? `[${address}]` : address
}
