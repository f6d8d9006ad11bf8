/**
 * Creates the logger of a process: one JSON object per line, or lines for people on a terminal. Hides values
 * that must never be logged. Writes are synchronous, so that the last line before an exit or a crash is not
 * lost.
 */
import { createRequire } from 'node:module'
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import type PinoPretty from 'pino-pretty'
import { asStream, standardOutput } from './log-output.ts'

export type { Logger } from 'pino'

export type LogFormat = 'auto' | 'json' | 'pretty'

export interface LoggerOptions {
  readonly level: string
  readonly format: LogFormat
  /** On every line: `host`, `worker` … */
  readonly bindings?: Readonly<Record<string, string | number>>
  /** Instead of standard output. */
  readonly stream?: DestinationStream
}

const SECRET_NAMES = [
  'auth',
  'token',
  'key',
  'secret',
  'password',
  'authorization',
  'cookie',
  'apiKey',
  'emitToken',
  'jwtSecret',
  'jwtSecretOther',
  'linkSecret',
  'redisUrl',
  'redisSentinelPassword',
  'clusterSecret',
  'clusterSecretOther',
  'clusterSecretOld',
  'jwt',
]

/**
 * Where these names may occur. Listed one by one: a wildcard would make every line ten times as expensive.
 */
const PLACES = [
  'auth',
  'body',
  'boot',
  'config',
  'data',
  'err',
  'error',
  'handshake',
  'handshake.headers',
  'handshake.query',
  'headers',
  'params',
  'payload',
  'query',
  'req.headers',
  'request.headers',
  'settings',
  'socket.handshake',
  'socket.handshake.headers',
]

const redactedPaths = SECRET_NAMES.flatMap((name) => [name, ...PLACES.map((place) => `${place}.${name}`)])

export function createLogger({ level, format, bindings = {}, stream }: LoggerOptions): Logger {
  const options = {
    level,
    base: { pid: process.pid, ...bindings },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '[hidden]' },
  }
  return pino(options, chooseStream(format, stream))
}

/** Whether to write lines for people: by setting, or because standard output is a terminal. */
export function isPretty(format: LogFormat): boolean {
  return format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
}

function chooseStream(format: LogFormat, stream: DestinationStream | undefined): DestinationStream {
  if (format === 'pretty' || (stream === undefined && isPretty(format))) return prettyStream(stream)
  return stream ?? standardOutput()
}

/** pino-pretty is loaded only when used: under a process manager it is not needed. */
function prettyStream(stream: DestinationStream | undefined): DestinationStream {
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty
  return pretty({
    colorize: stream === undefined && process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,host',
    singleLine: true,
    destination: stream ?? asStream(standardOutput()),
  })
}
