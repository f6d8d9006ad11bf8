/**
 * A worker dies while others wait for its answer. All deadlines exceed the test's, so an answer proves that
 * the death was detected.
 */
import { describe, expect, it } from 'vitest'
import { AdapterHost, SHAPES } from '../harness/adapter/host.ts'
import { until } from '../harness/until.ts'

const BEYOND_MS = 600_000

describe.each(SHAPES)('on %s:', (shape) => {
  const host = AdapterHost.shared(shape, { adapter: { answerTimeoutMs: BEYOND_MS } })
  /** With two hosts, the victim is not on the host of `w1`, which sends the request. */
  const victim = shape === 'one host' ? 'w3' : 'w2'
  const survivors = () => host.workers.filter((worker) => worker !== victim)

  const missing = () => host.workerMetric('w1', 'rookery_adapter_answers_missing_total')

  /** Makes `w1` send a request that the paused victim must answer, then kills the victim. */
  async function whileDying<T>(ask: () => Promise<T>): Promise<T> {
    await host.pause(victim)
    const asked = ask()
    // The worker that will never read the request has it: it was counted as forwarded.
    await until(
      async () => (await host.metric('rookery_relay_passed_total', { worker: victim })) > 0,
      'the victim has the request',
    )
    await host.kill(victim)
    return asked
  }

  describe('while a worker dies', () => {
    it('fetchSockets returns the sockets of the others', async () => {
      await Promise.all(host.workers.map((worker) => host.connect(worker)))
      const name = host.nameFor('w1', victim)
      const before = await missing()
      const found = await whileDying(() =>
        host.run('w1', async ({ io }) => (await io.timeout(600_000).fetchSockets()).length),
      )
      expect(found).toBe(survivors().length)
      expect(await missing()).toBe(before + 1)
      const lines = await host.run('w1', ({ logged }) => logged.filter(({ level }) => level >= 40))
      expect(lines).toMatchObject([{ workers: [name], msg: 'workers left before they answered' }])
    })

    it('serverSideEmit returns the answers received', async () => {
      for (const worker of host.workers.slice(1)) {
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
      const answers = await whileDying(() => host.run('w1', ({ io }) => io.serverSideEmitWithAck('ask')))
      expect((answers as string[]).toSorted()).toEqual(survivors().slice(1))
    })

    it('a broadcast with acknowledgement counts the clients that can still answer', async () => {
      for (const worker of host.workers) {
        const { socket } = await host.connect(worker)
        socket.on('ask', (answer: (value: string) => void) => answer(worker))
      }
      const answers = await whileDying(() =>
        host.run('w1', ({ io }) => io.timeout(600_000).emitWithAck('ask') as Promise<string[]>),
      )
      expect(answers.toSorted()).toEqual(survivors())
    })

    it('a broadcast with acknowledgement keeps the answers of its clients', async () => {
      const silent = await host.connect(victim)
      const prompt = await host.connect(victim)
      prompt.socket.on('ask', (answer: (value: string) => void) => answer('in time'))
      const heard = () => host.workerMetric('w1', 'rookery_link_received_total')
      const before = await heard()
      const asked = host.run('w1', ({ io }) => io.timeout(600_000).emitWithAck('ask') as Promise<string[]>)
      await silent.received.until('ask')
      // The answer has reached the requesting worker: it has the count and this one acknowledgement.
      await until(async () => (await heard()) === before + 2, 'w1 has the count and the acknowledgement')
      await host.kill(victim)
      expect(await asked).toEqual(['in time'])
    })

    it('it gets no more requests and is not counted', async () => {
      await Promise.all(host.workers.map((worker) => host.connect(worker, { rooms: ['red'] })))
      const before = await missing()
      await host.kill(victim)
      const servers = () => host.run('w1', ({ io }) => io.of('/').adapter.serverCount())
      await until(async () => (await servers()) === survivors().length, 'w1 knows that it has exited')
      const found = await host.run('w1', async ({ io }) => {
        const [sockets, members] = await Promise.all([io.fetchSockets(), io.in('red').fetchSockets()])
        return [sockets.length, members.length]
      })
      expect(found).toEqual([survivors().length, survivors().length])
      expect(await missing()).toBe(before)
    })

    it('the messages of the others stay complete and in order', async () => {
      const { received } = await host.connect(survivors().at(-1) ?? '', { rooms: ['red'] })
      const sent = host.run('w1', async ({ io }) => {
        for (let index = 0; index < 2_000; index += 1) {
          io.to('red').emit('n', index)
          if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        io.to('red').emit('end')
      })
      await host.kill(victim)
      await sent
      await received.until('end')
      const numbers = received.events.filter(([name]) => name === 'n').map(([, index]) => index)
      expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, index) => index))
    })

    it('its last messages arrive before the news of its death', async () => {
      const victimName = host.nameFor('w1', victim)
      const { received } = await host.connect('w1')
      await host.run('w1', ({ io, link }) => {
        link.onPeerGone((worker) => io.local.emit('gone', worker))
      })
      await host.run(victim, ({ io }) => {
        for (let index = 0; index < 100; index += 1) io.emit('n', index)
        setImmediate(() => setImmediate(() => process.kill(process.pid, 'SIGKILL')))
      })
      await received.until('gone')
      host.forget(victim)
      expect(received.events.map(([name, value]) => `${String(name)} ${String(value)}`)).toEqual([
        'joined undefined',
        ...Array.from({ length: 100 }, (_, index) => `n ${index}`),
        `gone ${victimName}`,
      ])
    })
  })
})
