/**
 * `rookery reload`: tells the Rookery that runs on a data directory to replace its workers, and follows the
 * reload by the status of its admin listener until all workers run the new code.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { ExitError } from '../ops/exit-codes.ts'
import { type RunningHost, runningHost } from '../ops/pid-file.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { milliseconds } from './duration.ts'
import { fetchFailure, permitted } from './own-host.ts'

const LOOK_EVERY_MS = 200
const ANSWER_TIMEOUT_MS = 5_000

const Run = z.object({ replaced: z.int(), of: z.int(), error: z.string().nullable() })
type Run = z.infer<typeof Run>
const Status = z.object({
  pid: z.int(),
  reload: z.object({ finished: z.int(), running: Run.nullable(), last: Run.nullable() }).nullable(),
})
type ReloadState = NonNullable<z.infer<typeof Status>['reload']>

export async function reload(line: CommandLine, options: Options): Promise<void> {
  const { dataDir } = loadFrom(line, options).config
  const timeout = String(options['timeout'])
  const timeoutMs = milliseconds(timeout)
  const host = permitted(dataDir, () => runningHost(dataDir))
  if (host === undefined) throw new ExitError('notRunning', `no Rookery runs on DATA_DIR ${dataDir}`)
  // Who may not signal it need not be told more.
  permitted(dataDir, () => process.kill(host.pid, 0))
  const waits = options['wait'] !== false
  const before = waits ? await stateOf(host) : undefined
  permitted(dataDir, () => process.kill(host.pid, 'SIGHUP'))
  const asJson = options['json'] === true
  const tell = (text: string) => asJson || process.stdout.write(`${text}\n`)
  tell(`told process ${host.pid} to replace its workers${waits ? '' : '; its log shows the progress'}`)
  if (before === undefined) return
  const startedAt = performance.now()
  // A reload that was under way is followed by the one asked for now.
  const awaited = before.finished + (before.running === null ? 1 : 2)
  const { error, replaced, of } = await follow({
    host,
    awaited,
    tell,
    timeout,
    deadline: startedAt + timeoutMs,
  })
  const tookMs = Math.round(performance.now() - startedAt)
  if (asJson) process.stdout.write(`${JSON.stringify({ pid: host.pid, error, replaced, of, tookMs })}\n`)
  if (error !== null) throw new ExitError('reloadFailed', failure(error, replaced, of))
  tell(`done: ${of} workers run the new code, after ${(tookMs / 1000).toFixed(1)} s`)
}

function failure(error: string, replaced: number, of: number): string {
  if (replaced === 0) return `${error}; the earlier workers go on`
  return `${error}; ${replaced} of ${of} workers run the new code: mend it and reload again`
}

interface Followed {
  host: RunningHost
  /** Number of the run to wait for. */
  awaited: number
  tell: (text: string) => void
  timeout: string
  deadline: number
}

async function follow({ host, awaited, tell, timeout, deadline }: Followed): Promise<Run> {
  let told = 0
  for (;;) {
    const { finished, running, last } = await stateOf(host)
    const seen = finished >= awaited ? last : finished === awaited - 1 ? running : null
    if (seen !== null && seen.replaced > told) {
      told = seen.replaced
      tell(`${told} of ${seen.of} workers replaced`)
    }
    if (finished >= awaited && last !== null) return last
    if (performance.now() > deadline)
      throw new ExitError('reloadFailed', `not over after ${timeout}: the log of the host says more`)
    await delay(LOOK_EVERY_MS)
  }
}

async function stateOf(host: RunningHost): Promise<ReloadState> {
  const state = host.adminUrl === '' ? null : await askState(host)
  if (state === null) throw new ExitError('notRunning', `process ${host.pid} is starting or stopping`)
  return state
}

/** @throws ExitError `notRunning` if it is not the host's own admin listener that answers */
async function askState({ pid, adminUrl }: RunningHost): Promise<ReloadState | null> {
  try {
    const response = await fetch(`${adminUrl}/status`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
    const status = Status.parse(await response.json())
    if (status.pid !== pid) throw new Error(`process ${status.pid} answered`)
    return status.reload
  } catch (error) {
    const why = fetchFailure(error)
    const message = `the admin listener of process ${pid} (${adminUrl}) can't be asked: ${why}; --no-wait does without it`
    throw new ExitError('notRunning', message, { cause: error })
  }
}
