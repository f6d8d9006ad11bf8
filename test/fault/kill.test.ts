import { afterEach, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Crowd } from '../harness/members/crowd.ts'
import { until } from '../harness/until.ts'

const open: { close(): void | Promise<unknown> }[] = []

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})

async function start(env: Record<string, string>): Promise<RunningRookery> {
  const rookery = await startRookery({ env: { MESSAGE_RATE: '10000', MESSAGE_BURST: '10000', ...env } })
  open.push({ close: () => rookery.kill() })
  return rookery
}

async function crowdOf(rookery: RunningRookery): Promise<Crowd> {
  const crowd = new Crowd({ url: rookery.url, rooms: 5, membersPerRoom: 8 })
  open.push(crowd)
  await crowd.joined()
  return crowd
}

test('kill -9 of a worker under load: its clients miss nothing, the others notice nothing', async () => {
  const rookery = await start({ WORKERS: '3' })
  const crowd = await crowdOf(rookery)
  const writing = crowd.write(30)
  await until(() => crowd.ackedCount > 200, 'the load runs')
  const [victim] = rookery.workerNames()
  const served = crowd.members.filter(({ worker }) => worker === victim)
  const others = crowd.members.filter(({ worker }) => worker !== victim)
  expect(served.length).toBeGreaterThan(0)
  expect(others.length).toBeGreaterThan(0)
  rookery.killWorker(0)
  await writing
  await crowd.audit()
  expect(crowd.ackedCount).toBe(40 * 30)
  expect(served.map(({ disconnects }) => disconnects)).toEqual(served.map(() => 1))
  expect(others.map(({ disconnects }) => disconnects)).toEqual(others.map(() => 0))
  await rookery.untilLog('worker ready', 4)
})

test('kill -9 of the primary: no worker survives it, and the next start has every acked message', async () => {
  const first = await start({ WORKERS: '2' })
  const crowd = await crowdOf(first)
  const pids = first.workerPids()
  const writing = crowd.write(1_000).catch(() => undefined)
  await until(() => crowd.ackedCount > 500, 'the load runs')
  const { port, dataDir } = first
  await first.kill({ keepData: true })
  await until(() => pids.every((pid) => !alive(pid)), 'all workers are gone')

  const second = await start({ WORKERS: '2', PORT: String(port), DATA_DIR: dataDir })
  expect(second.port).toBe(port)
  await until(() => crowd.ackedCount > 1_500, 'the same clients continue')
  for (const member of crowd.members) member.stopSending()
  await writing
  await crowd.audit()
})

test('a rolling reload under load: each send is acked, nothing is lost, never fewer than W-1 workers are ready', async () => {
  const workers = 3
  const rookery = await start({ WORKERS: String(workers), DRAIN_MS: '1000' })
  const crowd = await crowdOf(rookery)
  const before = rookery.workerNames()
  const load = crowd.writeUntil(() => rookery.log('reload done') !== undefined)
  let fewest = workers
  rookery.signal('SIGHUP')
  await until(async () => {
    fewest = Math.min(fewest, await readyWorkers(rookery))
    return rookery.log('reload done') !== undefined
  }, 'the reload is done')
  await load
  await crowd.audit()
  expect(fewest).toBeGreaterThanOrEqual(workers - 1)
  expect(rookery.workerNames()).toHaveLength(workers)
  expect(rookery.workerNames().filter((name) => before.includes(name))).toEqual([])
  expect(crowd.members.every((member) => member.disconnects >= 1)).toBe(true)
})

async function readyWorkers(rookery: RunningRookery): Promise<number> {
  const response = await fetch(`${rookery.adminUrl}/status`)
  const status = (await response.json()) as { workers: { state: string }[] }
  return status.workers.filter(({ state }) => state === 'ready').length
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
