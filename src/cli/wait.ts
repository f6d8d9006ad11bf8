/**
 * `rookery wait --ready`: returns when the Rookery that runs on a data directory accepts connections. The pid file
 * and the answer must name the same life of a primary, so that no other process on the port is taken for it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { localUrl } from '../ops/banner.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { runningHost } from '../ops/pid-file.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { milliseconds } from './duration.ts'
import { fetchFailure, permitted } from './own-host.ts'

const LOOK_EVERY_MS = 200
/** The last look may end this much after the deadline. */
const SHORTEST_ANSWER_TIMEOUT_MS = 1_000
const ANSWER_TIMEOUT_MS = 5_000

/** A 503 may come from a proxy or from another program, and then has any body. */
const readyAnswer = z.object({ ready: z.literal(true), host: z.string() })

interface Wanted {
  dataDir: string
  url: string
  otherThan: number | undefined
}

interface Look {
  /** Of the process that runs on the data directory. */
  pid: number | undefined
  /** Why it is not ready; null: it is. */
  reason: string | null
}

/** @throws ExitError `notReady` when the time is over */
export async function waitUntilReady(line: CommandLine, options: Options): Promise<void> {
  const timeout = String(options['timeout'])
  const timeoutMs = milliseconds(timeout)
  const otherThan = pidOf(options['otherThan'])
  const { host, port, dataDir } = loadFrom(line, options).config
  if (port === 0) throw new ExitError('usage', 'with PORT 0 the port is not known: set PORT')
  const startedAt = performance.now()
  const wanted = { dataDir, url: localUrl(host, port, '/readyz'), otherThan }
  const { pid, reason, starts } = await lookUntil(wanted, startedAt + timeoutMs)
  const waitedMs = Math.round(performance.now() - startedAt)
  const asJson = options['json'] === true
  if (asJson) process.stdout.write(`${JSON.stringify({ ready: reason === null, pid, reason, waitedMs })}\n`)
  if (reason !== null)
    throw new ExitError('notReady', `not ready after ${timeout}: ${reason}${again(starts)}`)
  if (!asJson) process.stdout.write(`ready: process ${pid}, after ${(waitedMs / 1000).toFixed(1)} s\n`)
}

function again(starts: number): string {
  return starts < 2 ? '' : ` (${starts} processes were seen: its log says why it starts again)`
}

function pidOf(text: Options[string]): number | undefined {
  if (text === undefined) return undefined
  if (!/^[0-9]{1,10}$/.test(String(text))) {
    throw new ExitError('usage', `--other-than ${text} is not a process id`)
  }
  return Number(text)
}

async function lookUntil(wanted: Wanted, deadline: number): Promise<Look & { starts: number }> {
  const pids = new Set<number>()
  for (;;) {
    const leftMs = deadline - performance.now()
    const look = await lookOnce(
      wanted,
      Math.max(SHORTEST_ANSWER_TIMEOUT_MS, Math.min(ANSWER_TIMEOUT_MS, leftMs)),
    )
    if (look.pid !== undefined && look.pid !== wanted.otherThan) pids.add(look.pid)
    if (look.reason === null || performance.now() + LOOK_EVERY_MS > deadline)
      return { ...look, starts: pids.size }
    await delay(LOOK_EVERY_MS)
  }
}

async function lookOnce({ dataDir, url, otherThan }: Wanted, timeoutMs: number): Promise<Look> {
  const running = permitted(dataDir, () => runningHost(dataDir))
  if (running === undefined) return { pid: undefined, reason: `no Rookery runs on DATA_DIR ${dataDir}` }
  const { pid, hostTag } = running
  if (pid === otherThan) return { pid, reason: `process ${pid} still runs on DATA_DIR ${dataDir}` }
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'manual' })
    const body = await response.text()
    if (response.status !== 200)
      return { pid, reason: `${url} answers ${response.status} ${body.trim().slice(0, 300)}` }
    return {
      pid,
      reason: hostOf(body) === hostTag ? null : `${url} is answered by another process than ${pid}`,
    }
  } catch (error) {
    return { pid, reason: `${url}: ${fetchFailure(error)}` }
  }
}

function hostOf(body: string): string | undefined {
  try {
    return readyAnswer.safeParse(JSON.parse(body)).data?.host
  } catch {
    return undefined
  }
}
