/**
 * A primary is paused under load: a short pause costs nothing; after a long one its workers kill it, and
 * clients continue after the next start.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { underLoad } from '../harness/members/under-load.ts'
import { until } from '../harness/until.ts'

const ENV = { ...UNLIMITED_RATES, WORKERS: '2', PRIMARY_HANG_TIMEOUT_MS: '4500' }
const SHORT_MS = 1_500

const started: RunningRookery[] = []
let rookery: RunningRookery

async function start(env: Record<string, string>): Promise<RunningRookery> {
  const one = await startRookery({ env: { ...ENV, ...env } })
  started.push(one)
  return one
}

beforeAll(async () => {
  rookery = await start({})
})

afterAll(async () => {
  for (const one of started) await one.kill()
})

test('a short pause: every send is acked, and no connection is lost', async () => {
  const crowd = await underLoad({ url: rookery.url, label: 'moment-' }, async () => {
    rookery.signal('SIGSTOP')
    await delay(SHORT_MS)
    rookery.signal('SIGCONT')
  })
  expect(crowd.disconnects).toBe(0)
})

test('an endless pause: its workers kill it and exit, so that a process manager restarts it, and acked messages are there after the start', async () => {
  const workers = rookery.workerPids()
  const { port, dataDir } = rookery
  await underLoad({ url: rookery.url, label: 'for-good-' }, async () => {
    rookery.signal('SIGSTOP')
    expect(await rookery.exited()).toEqual({ code: null, signal: 'SIGKILL' })
    expect(rookery.log('killed the primary: it hangs')).toMatchObject({ primary: rookery.pid })
    await until(() => !workers.some(isAlive), 'the workers have exited')
    await start({ PORT: String(port), DATA_DIR: dataDir })
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
