/**
 * A worker that dies while others wait for its answer. Every deadline is later than the test's: an answer has not waited
 * for one.
 */
import { describe, expect, it } from 'vitest'
import { AdapterHost, SHAPES } from '../harness/adapter/host.ts'
import { until } from '../harness/until.ts'

const BEYOND_MS = 600_000

describe.each(SHAPES)('on %s:', (shape) => {
  const host = AdapterHost.shared(shape, { adapter: { answerTimeoutMs: BEYOND_MS } })
  /** With two hosts it is not on that of `w1`, which asks. */
  const victim = shape === 'one host' ? 'w3' : 'w2'
  const survivors = () => host.workers.filter((worker) => worker !== victim)

  const missing = () => host.workerMetric('w1', 'rookery_adapter_answers_missing_total')

  /** Asks `w1` for something that the victim, which does not run, has to answer; then kills it. */
  async function whileDying<T>(ask: () => Promise<T>): Promise<T> {
    await host.pause(victim)
    const asked = ask()
    // The question is with the worker that will never read it: it has been counted as passed on.
    await until(
      async () => (await host.metric('rookery_relay_passed_total', { worker: victim })) > 0,
      'the victim is asked',
    )
    await host.kill(victim)
    return asked
  }

  describe('while a worker dies', () => {
    it('fetchSockets gives what the others have', async () => {
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

    it('serverSideEmit gives the answers that came', async () => {
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

    it('a broadcast with acknowledgement keeps what its clients had answered', async () => {
      const silent = await host.connect(victim)
      const prompt = await host.connect(victim)
      prompt.socket.on('ask', (answer: (value: string) => void) => answer('in time'))
      const heard = () => host.workerMetric('w1', 'rookery_link_received_total')
      const before = await heard()
      const asked = host.run('w1', ({ io }) => io.timeout(600_000).emitWithAck('ask') as Promise<string[]>)
      await silent.received.until('ask')
      // The answer has come to the worker that asked: it has got the count and this one acknowledgement.
      await until(async () => (await heard()) === before + 2, 'w1 has the count and the acknowledgement')
      await host.kill(victim)
      expect(await asked).toEqual(['in time'])
    })

    it('it is no longer asked or counted', async () => {
      await Promise.all(host.workers.map((worker) => host.connect(worker, { rooms: ['red'] })))
      const before = await missing()
      await host.kill(victim)
      const servers = () => host.run('w1', ({ io }) => io.of('/').adapter.serverCount())
      await until(async () => (await servers()) === survivors().length, 'w1 knows that it is gone')
      const found = await host.run('w1', async ({ io }) => {
        const [sockets, members] = await Promise.all([io.fetchSockets(), io.in('red').fetchSockets()])
        return [sockets.length, members.length]
      })
      expect(found).toEqual([survivors().length, survivors().length])
      expect(await missing()).toBe(before)
    })

    it('the order and wholeness of what the others say is untouched', async () => {
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

    it('its last words arrive before the word that it is gone', async () => {
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
