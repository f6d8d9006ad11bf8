/**
 * A host that dies while another waits for it. Every deadline here is beyond that of the test: what is answered has not
 * waited for one, only until the host was missed.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AdapterHost } from '../harness/adapter/host.ts'
import type { AdapterProcess } from '../harness/adapter/process.ts'
import { until } from '../harness/until.ts'

const BEYOND_MS = 600_000

let hosts: AdapterHost
/** That of `w2` and `w4`; `w1` and `w3` are on the other. */
let victim: AdapterProcess

beforeAll(async () => {
  // A host that says nothing is missed sooner than by default.
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

/** Asks `w1` something while the other host stands still, so that it never says whom it has asked; then kills it. */
async function whileStanding<T>(ask: () => Promise<T>): Promise<T> {
  victim.signal('SIGSTOP')
  const asked = ask()
  await until(
    async () => (await hosts.metricOf(hosts.hostOf('w1'), 'rookery_relay_open_receipts')) === 1,
    'the question waits for the other host',
  )
  await hosts.killHost(victim)
  return asked
}

/** Asks `w1` something that workers of the other host are asked and do not answer; then kills that host. */
async function whileSilent<T>(ask: () => Promise<T>): Promise<T> {
  const workers = hosts.workersOf(victim)
  const pids = await Promise.all(workers.map((worker) => hosts.run(worker, () => process.pid)))
  for (const worker of workers) await hosts.pause(worker)
  const asked = ask()
  for (const worker of workers)
    await until(
      async () => (await hosts.metric('rookery_relay_passed_total', { worker })) > 0,
      `${worker} is asked`,
    )
  await hosts.killHost(victim)
  for (const pid of pids) process.kill(pid, 'SIGCONT')
  return asked
}

describe.each([
  ['before it has said whom it has asked', whileStanding],
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
    await until(async () => (await count()) === 2, 'its workers are not counted any more')
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

it('a host that stood still for longer than it is waited for is there again as soon as it goes on', async () => {
  await Promise.all(hosts.workers.map((worker) => hosts.connect(worker)))
  victim.signal('SIGSTOP')
  const count = (worker: string) => hosts.run(worker, ({ io }) => io.of('/').adapter.serverCount())
  await until(async () => (await count('w1')) === 2, 'it is missed')
  victim.signal('SIGCONT')
  for (const worker of hosts.workers)
    await until(async () => (await count(worker)) === 4, `${worker} counts all`)
  const found = await hosts.run('w2', async ({ io }) => (await io.fetchSockets()).length)
  expect(found).toBe(4)
})

it('a host that leaves is missed at once', async () => {
  const [tag = ''] = hosts.nameFor('w1', 'w2').split(':')
  const entries = async () => hosts.redis.cli('--scan', '--pattern', 'rookery:{adapter-test}:host:*')
  await until(async () => (await entries()).includes(tag), 'it stands in Redis')
  await hosts.stopHost(victim)
  await until(
    async () => (await hosts.run('w1', ({ io }) => io.of('/').adapter.serverCount())) === 2,
    'its workers are not counted any more',
  )
  expect(await entries()).not.toContain(tag)
})
