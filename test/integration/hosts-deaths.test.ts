/**
 * A host dies while another waits for it. All deadlines exceed the test's, so an answer proves that the death
 * was detected.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AdapterHost } from '../harness/adapter/host.ts'
import type { AdapterProcess } from '../harness/adapter/process.ts'
import { until } from '../harness/until.ts'

const BEYOND_MS = 600_000

let hosts: AdapterHost
/** The host of `w2` and `w4`; `w1` and `w3` are on the other. */
let victim: AdapterProcess

beforeAll(async () => {
  // A silent host is detected sooner than by default.
  const backplane = { beatMs: 500, silentMs: 3_000 }
  hosts = await AdapterHost.start(4, { adapter: { answerTimeoutMs: BEYOND_MS }, backplane }, 'two hosts')
})

beforeEach(async () => {
  await hosts.restore()
  victim = hosts.hostOf('w2')
})

afterEach(() => hosts.disconnectClients())
afterAll(() => hosts.stop())

const gone = () => hosts.metricOf(hosts.hostOf('w1'), 'rookery_hosts_gone_total')

/**
 * Sends a request from `w1` while the other host is paused, so that it never reports which workers it asked;
 * then kills it.
 */
async function whileStanding<T>(ask: () => Promise<T>): Promise<T> {
  victim.signal('SIGSTOP')
  const asked = ask()
  await until(
    async () => (await hosts.metricOf(hosts.hostOf('w1'), 'rookery_relay_open_receipts')) === 1,
    'the request waits for the other host',
  )
  await hosts.killHost(victim)
  return asked
}

/**
 * Sends a request from `w1` that workers of the other host receive and do not answer; then kills that host.
 */
async function whileSilent<T>(ask: () => Promise<T>): Promise<T> {
  const workers = hosts.workersOf(victim)
  const pids = await Promise.all(workers.map((worker) => hosts.run(worker, () => process.pid)))
  for (const worker of workers) await hosts.pause(worker)
  const asked = ask()
  for (const worker of workers)
    await until(
      async () => (await hosts.metric('rookery_relay_passed_total', { worker })) > 0,
      `${worker} has the request`,
    )
  await hosts.killHost(victim)
  for (const pid of pids) process.kill(pid, 'SIGCONT')
  return asked
}

describe.each([
  ['before it has reported which workers it asked', whileStanding],
  ['after it has asked its workers', whileSilent],
] as const)('a host that dies %s', (_, dying) => {
  it('is left out of fetchSockets', async () => {
    await Promise.all(hosts.workers.map((worker) => hosts.connect(worker)))
    const before = await gone()
    const found = await dying(() =>
      hosts.run('w1', async ({ io }) => (await io.timeout(600_000).fetchSockets()).length),
    )
    expect(found).toBe(2)
    const count = () => hosts.run('w1', ({ io }) => io.of('/').adapter.serverCount())
    await until(async () => (await count()) === 2, 'its workers are no longer counted')
    expect(await gone()).toBe(before + 1)
  })

  it('is left out of serverSideEmit', async () => {
    for (const worker of hosts.workers)
      await hosts.run(
        worker,
        ({ io }, name) => {
          io.of('/').removeAllListeners('ask')
          io.of('/').on('ask' as 'connection', (answer: unknown) =>
            (answer as (value: unknown) => void)(name),
          )
        },
        worker,
      )
    const answers = await dying(() => hosts.run('w1', ({ io }) => io.serverSideEmitWithAck('ask')))
    expect(answers).toEqual(['w3'])
  })

  it('is left out of a broadcast with acknowledgement', async () => {
    for (const worker of hosts.workers) {
      const { socket } = await hosts.connect(worker)
      socket.on('ask', (answer: (value: string) => void) => answer(worker))
    }
    const answers = await dying(() =>
      hosts.run('w1', ({ io }) => io.timeout(600_000).emitWithAck('ask') as Promise<string[]>),
    )
    expect(answers.toSorted()).toEqual(['w1', 'w3'])
  })
})

it('a host that was paused until it was removed is back as soon as it resumes', async () => {
  await Promise.all(hosts.workers.map((worker) => hosts.connect(worker)))
  victim.signal('SIGSTOP')
  const count = (worker: string) => hosts.run(worker, ({ io }) => io.of('/').adapter.serverCount())
  await until(async () => (await count('w1')) === 2, 'the host is removed')
  victim.signal('SIGCONT')
  for (const worker of hosts.workers)
    await until(async () => (await count(worker)) === 4, `${worker} counts all`)
  const found = await hosts.run('w2', async ({ io }) => (await io.fetchSockets()).length)
  expect(found).toBe(4)
})

it('a host that leaves is removed at once', async () => {
  const [tag = ''] = hosts.nameFor('w1', 'w2').split(':')
  const entries = async () => hosts.redis.cli('--scan', '--pattern', 'rookery:{adapter-test}:host:*')
  await until(async () => (await entries()).includes(tag), 'the host is registered in Redis')
  await hosts.stopHost(victim)
  await until(
    async () => (await hosts.run('w1', ({ io }) => io.of('/').adapter.serverCount())) === 2,
    'its workers are no longer counted',
  )
  expect(await entries()).not.toContain(tag)
})
