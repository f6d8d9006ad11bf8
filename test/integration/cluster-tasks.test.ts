/** `context.once` and `context.every` at real hosts whose workers and primaries are killed. */
import { afterEach, expect, test } from 'vitest'
import { type LogLine, type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { startRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const APP = new URL('../fixtures/apps/tasks.js', import.meta.url).pathname
const BEGINS = 'the service begins'

const hosts: RunningRookery[] = []
const others: { stop(): Promise<unknown> }[] = []

async function start(env: Record<string, string> = {}): Promise<RunningRookery> {
  const host = await startRookery({ args: ['--app', APP], env })
  hosts.push(host)
  return host
}

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.kill()
  for (const other of others.splice(0)) await other.stop()
})

const timeOf = ({ time }: LogLine) => {
  const ms = Date.parse(String(time))
  if (Number.isNaN(ms)) throw new Error(`no time: ${String(time)}`)
  return ms
}

/** Lines of all hosts with this text, oldest first. */
const lines = (msg: string): LogLine[] =>
  hosts
    .flatMap((host) => host.logs)
    .filter((line) => line.msg === msg)
    .toSorted((a, b) => timeOf(a) - timeOf(b))

const untilBegun = (times: number) =>
  until(
    () => lines(BEGINS).length >= times,
    `the service has begun ${times} times`,
    () => hosts.map((host) => host.tail()).join('\n'),
  )

const workerOf = ({ host, worker }: LogLine) => `${String(host)} ${String(worker)}`

test('a service runs on one worker, moves when that one is killed, and in order at a reload', async () => {
  const host = await start({ WORKERS: '3' })
  await untilBegun(1)
  const [first] = lines(BEGINS)
  host.killWorker(host.workerNames().indexOf(String(first?.worker)))
  await untilBegun(2)
  expect(lines('the service ends')).toHaveLength(0)

  host.signal('SIGHUP')
  await host.untilLog('reload done')
  await untilBegun(3)
  // Every worker that drained has ended it before the next one began it.
  const history = host.logs
    .filter(({ msg }) => msg.startsWith('the service'))
    .toSorted((a, b) => timeOf(a) - timeOf(b))
    .map(({ msg }) => msg)
  expect(history.slice(1, -1)).toEqual(
    Array.from({ length: history.length - 2 }, (_, index) => (index % 2 === 0 ? BEGINS : 'the service ends')),
  )
  expect(await host.stop()).toBe(0)
})

test('a job runs on one worker at a time, and goes on elsewhere', async () => {
  const host = await start()
  await host.untilLog('the job runs', 5)
  const before = new Set(lines('the job runs').map(workerOf))
  expect(before.size).toBe(1)
  const [holder] = lines('the job runs')
  host.killWorker(host.workerNames().indexOf(String(holder?.worker)))
  await until(
    () => lines('the job runs').some((line) => workerOf(line) !== workerOf(holder ?? line)),
    'the job runs on another worker',
  )
})

test('between hosts it moves when a worker dies, and when a host dies', async () => {
  const redis = await startRedis()
  others.push(redis)
  const env = (name: string) => ({ REDIS_URL: redis.url, HOST_NAME: name, WORKERS: '1' })
  await start(env('one'))
  await start(env('two'))
  await untilBegun(1)
  const [first] = lines(BEGINS)
  const holder = hosts.find((host) => host.logs.includes(first ?? { level: '', msg: '' }))
  holder?.killWorker(0)
  await untilBegun(2)
  const second = lines(BEGINS).at(-1)
  const killed = hosts.find((host) => host.logs.includes(second ?? { level: '', msg: '' }))
  await killed?.kill()
  await untilBegun(3)
  expect(lines(BEGINS).at(-1)?.host).not.toBe(second?.host)
})
