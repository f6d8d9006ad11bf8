/**
 * A worker that dies while others wait for it. Every deadline here is beyond that of the test: what is answered has
 * not waited for one.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AdapterHost } from '../harness/adapter-host.ts'
import { until } from '../harness/until.ts'

const BEYOND_MS = 600_000

let host: AdapterHost

beforeEach(async () => {
  host = await AdapterHost.start(3, { adapter: { answerTimeoutMs: BEYOND_MS } })
})

afterEach(() => host.stop())

/** Asks `w1` for something that `w3`, which does not run, has to answer; then kills it. */
async function whileDying<T>(ask: () => Promise<T>): Promise<T> {
  await host.pause('w3')
  const asked = ask()
  // The question is with the worker that will never read it: it has been counted as passed on.
  await until(
    async () => (await host.metric('rookery_relay_passed_total', { worker: 'w3' })) > 0,
    'w3 is asked',
  )
  await host.kill('w3')
  return asked
}

describe('while a worker dies', () => {
  it('fetchSockets gives what the others have', async () => {
    await Promise.all(['w1', 'w2', 'w3'].map((worker) => host.connect(worker)))
    const found = await whileDying(() =>
      host.run('w1', async ({ io }) => (await io.timeout(600_000).fetchSockets()).length),
    )
    expect(found).toBe(2)
    expect(await host.workerMetric('w1', 'rookery_adapter_answers_missing_total')).toBe(1)
    const lines = await host.run('w1', ({ logged }) => logged.filter(({ level }) => level >= 40))
    expect(lines).toMatchObject([{ workers: ['w3'], msg: 'workers went before they had answered' }])
  })

  it('serverSideEmit gives the answers that came', async () => {
    for (const worker of ['w2', 'w3']) {
      await host.run(
        worker,
        ({ io }, name) => {
          io.of('/').on('ask' as 'connection', (answer: unknown) =>
            (answer as (value: unknown) => void)(name),
          )
        },
        worker,
      )
    }
    expect(await whileDying(() => host.run('w1', ({ io }) => io.serverSideEmitWithAck('ask')))).toEqual([
      'w2',
    ])
  })

  it('a broadcast with acknowledgement counts the clients that can still answer', async () => {
    for (const worker of ['w1', 'w2', 'w3']) {
      const { socket } = await host.connect(worker)
      socket.on('ask', (answer: (value: string) => void) => answer(worker))
    }
    const answers = await whileDying(() =>
      host.run('w1', ({ io }) => io.timeout(600_000).emitWithAck('ask') as Promise<string[]>),
    )
    expect(answers.toSorted()).toEqual(['w1', 'w2'])
  })

  it('a broadcast with acknowledgement keeps what its clients had answered', async () => {
    const silent = await host.connect('w3')
    const prompt = await host.connect('w3')
    prompt.socket.on('ask', (answer: (value: string) => void) => answer('in time'))
    const asked = host.run('w1', ({ io }) => io.timeout(600_000).emitWithAck('ask') as Promise<string[]>)
    await silent.received.until('ask')
    // The answer has come to the worker that asked: it has got the count and this one acknowledgement.
    const heard = async () => (await host.workerMetric('w1', 'rookery_link_received_total')) === 2
    await until(heard, 'w1 has the count and the acknowledgement')
    await host.kill('w3')
    expect(await asked).toEqual(['in time'])
  })

  it('nobody asks it any more, and it is not counted', async () => {
    await Promise.all(['w1', 'w2', 'w3'].map((worker) => host.connect(worker, { rooms: ['red'] })))
    await host.kill('w3')
    const servers = () => host.run('w1', ({ io }) => io.of('/').adapter.serverCount())
    await until(async () => (await servers()) === 2, 'w1 knows that w3 is gone')
    const found = await host.run('w1', async ({ io }) => {
      const [sockets, members] = await Promise.all([io.fetchSockets(), io.in('red').fetchSockets()])
      return [sockets.length, members.length]
    })
    expect(found).toEqual([2, 2])
    expect(await host.workerMetric('w1', 'rookery_adapter_answers_missing_total')).toBe(0)
  })

  it('the order and wholeness of what the others say is untouched', async () => {
    const { received } = await host.connect('w2', { rooms: ['red'] })
    const sent = host.run('w1', async ({ io }) => {
      for (let index = 0; index < 2_000; index += 1) {
        io.to('red').emit('n', index)
        if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      io.to('red').emit('end')
    })
    await host.kill('w3')
    await sent
    await received.until('end')
    const numbers = received.events.filter(([name]) => name === 'n').map(([, index]) => index)
    expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, index) => index))
  })

  it('its last words arrive before the word that it is gone', async () => {
    const { received } = await host.connect('w2')
    await host.run('w2', ({ io, link }) => {
      link.onPeerGone((worker) => io.local.emit('gone', worker))
    })
    await host.run('w3', ({ io }) => {
      for (let index = 0; index < 100; index += 1) io.emit('n', index)
      setImmediate(() => setImmediate(() => process.kill(process.pid, 'SIGKILL')))
    })
    await received.until('gone')
    expect(received.events.map(([name, value]) => `${String(name)} ${String(value)}`)).toEqual([
      'joined undefined',
      ...Array.from({ length: 100 }, (_, index) => `n ${index}`),
      'gone w3',
    ])
  })
})
