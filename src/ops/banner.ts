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
    ['open', localUrl(config.host, port)],
    ['workers', String(config.workers)],
    ['running', config.app ?? 'the chat'],
    ['data', config.dataDir],
    ['admin', localUrl(config.adminHost, adminPort)],
  ] as const
  const lines = rows.map(([name, value]) => `  ${name.padEnd(9)}${value}`)
  return `\n  Rookery is ready. Ctrl-C stops it.\n\n${lines.join('\n')}\n\n`
}

/** What programs on this machine can open. @param host where it listens */
export function localUrl(host: string, port: number, path = '/'): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}${path}`
}
