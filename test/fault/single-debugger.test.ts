/** What does not answer for a good reason is not killed: a process under a debugger, a host that slept as a whole. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { SelfFaults } from '../harness/faults/process.ts'

const HANG_TIMEOUT_MS = 4_500

let rookery: RunningRookery
let faults: SelfFaults

beforeAll(async () => {
  faults = await SelfFaults.open()
  const env = {
    WORKERS: '1',
    WORKER_HANG_TIMEOUT_MS: String(HANG_TIMEOUT_MS),
    PRIMARY_HANG_TIMEOUT_MS: String(HANG_TIMEOUT_MS),
    ...faults.env(),
  }
  rookery = await startRookery({ env })
})

afterAll(async () => {
  await rookery?.kill()
  await faults?.close()
})

afterEach(async () => {
  expect(rookery.log('worker died')).toBeUndefined()
  expect(rookery.process.exitCode).toBeNull()
  expect((await fetch(`${rookery.url}/readyz`)).status).toBe(200)
})

function workerPid(): number {
  const [pid] = rookery.workerPids()
  if (pid === undefined) throw new Error('there is a worker')
  return pid
}

/** As at a breakpoint: the process stands still until the log has this line. */
async function standsStill(pid: number, untilLog: string): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  try {
    await rookery.untilLog(untilLog)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

test('a host of which all processes stood still goes on', async () => {
  const all = [rookery.pid, workerPid()]
  for (const pid of all) process.kill(pid, 'SIGSTOP')
  await delay(HANG_TIMEOUT_MS + 1_000)
  for (const pid of all) process.kill(pid, 'SIGCONT')
})

test('a worker at a breakpoint is not killed', async () => {
  await faults.cause(workerPid(), 'inspect')
  await rookery.untilLog('the inspector of a worker is open: it is not killed when it does not answer')
  await standsStill(workerPid(), 'a worker that does not answer is not killed: its inspector is open')
})

test('a primary at a breakpoint is not killed', async () => {
  await faults.cause(rookery.pid, 'inspect')
  await rookery.untilLog('the inspector of the primary is open: silence of the primary ends nothing')
  await standsStill(rookery.pid, 'the primary does not answer and is not killed: its inspector is open')
})
