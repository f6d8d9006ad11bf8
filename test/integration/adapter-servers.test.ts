import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { AdapterHost, SHAPES } from '../harness/adapter/host.ts'
import { until } from '../harness/until.ts'

const sameMembers = (expected: string[]) => (found: string[]) =>
  isDeepStrictEqual(found.toSorted(), expected.toSorted())

describe.each(SHAPES)('on %s:', (shape) => {
  const host = AdapterHost.shared(shape)

  /** From now on, records `event` on a namespace of every worker. */
  async function note(event: string, nsp = '/'): Promise<void> {
    for (const worker of host.workers) {
      await host.run(
        worker,
        ({ io, noted }, [name, namespace]) => {
          noted.length = 0
          io.of(namespace ?? '/').removeAllListeners(name)
          io.of(namespace ?? '/').on(name as 'connection', (...args: unknown[]) => noted.push(args))
        },
        [event, nsp],
      )
    }
  }

  const serverCount = (worker: string, nsp: string) =>
    host.run(worker, ({ io }, name) => io.of(name).adapter.serverCount(), nsp)

  const notedBy = (worker: string) => host.run(worker, ({ noted }) => noted)

  describe('serverSideEmit', () => {
    it('reaches the other workers, with any value that structured clone supports', async () => {
      await note('tell')
      await host.run('w1', ({ io }) => {
        io.serverSideEmit('tell', 1, {
          map: new Map([['a', Buffer.from('x')]]),
          at: new Date(3),
          nothing: undefined,
        })
      })
      const told = [[1, { map: new Map([['a', Buffer.from('x')]]), at: new Date(3), nothing: undefined }]]
      for (const worker of host.workers.slice(1)) {
        await until(async () => (await notedBy(worker)).length > 0, `${worker} received the event`)
        expect(await notedBy(worker)).toEqual(told)
      }
      expect(await notedBy('w1')).toEqual([])
    })

    it('keeps the order of the calls, also among broadcasts', async () => {
      const { received } = await host.connect('w2')
      await host.run('w2', ({ io }) => {
        io.of('/').removeAllListeners('tell')
        io.of('/').on('tell' as 'connection', (index: unknown) => io.local.emit('n', index))
      })
      await host.run('w1', ({ io }) => {
        for (let index = 0; index < 100; index += 2) {
          io.serverSideEmit('tell', index)
          io.emit('n', index + 1)
        }
        io.emit('end')
      })
      await received.until('end')
      const numbers = received.events.filter(([name]) => name === 'n').map(([, index]) => index)
      expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index))
    })

    it('with acknowledgement collects one answer per worker', async () => {
      for (const worker of host.workers) {
        await host.run(
          worker,
          ({ io }, name) => {
            io.of('/').removeAllListeners('ask')
            io.of('/').on('ask' as 'connection', (...args: unknown[]) => {
              const answer = args.at(-1) as (value: unknown) => void
              answer({ name, got: args.slice(0, -1) })
              answer('only the first counts')
            })
          },
          worker,
        )
      }
      const answers = await host.run('w2', ({ io }) => io.serverSideEmitWithAck('ask', 'x'))
      const expected = host.workers.filter((name) => name !== 'w2').map((name) => ({ name, got: ['x'] }))
      expect((answers as { name: string }[]).toSorted((a, b) => a.name.localeCompare(b.name))).toEqual(
        expected,
      )
    })

    it('rejects at once when a listener throws or an answer cannot be cloned, and names the workers', async () => {
      await host.run('w2', ({ io }) => {
        io.of('/').removeAllListeners('fails')
        io.of('/').on('fails' as 'connection', () => {
          throw new Error('a fault of the application')
        })
      })
      for (const worker of host.workers.slice(2))
        await host.run(worker, ({ io }) => {
          io.of('/').removeAllListeners('fails')
          io.of('/').on('fails' as 'connection', (answer: unknown) =>
            (answer as (value: unknown) => void)(() => 1),
          )
        })
      const outcome = await host.run('w1', ({ io }) =>
        io.serverSideEmitWithAck('fails').catch(({ missing, responses }) => ({ missing, responses })),
      )
      const missing = host.workers.slice(1).map((worker) => host.nameFor('w1', worker))
      expect(outcome).toEqual({ missing: expect.toSatisfy(sameMembers(missing)), responses: [] })
      const lines = await host.run('w2', ({ logged }) => logged.map(({ msg }) => msg))
      expect(lines).toContain('a listener of the link threw an error')
      expect(await host.run('w1', ({ io }) => io.engine.clientsCount)).toBe(0)
    })

    it('throws to the caller when a value cannot be cloned', async () => {
      const refused = await host.run('w1', ({ io }) =>
        io.serverSideEmitWithAck('ask', new Proxy({}, {})).then(String, String),
      )
      expect(refused).toContain('could not be cloned')
      const thrown = await host.run('w1', ({ io }) => {
        try {
          io.serverSideEmit('tell', () => 1, 'not the last')
          return 'sent'
        } catch (error) {
          return String(error)
        }
      })
      expect(thrown).toContain('could not be cloned')
    })
  })

  describe('serverCount', () => {
    it('is correct at once, and when workers start and exit', async () => {
      const count = (worker: string) => host.run(worker, ({ io }) => io.of('/').adapter.serverCount())
      const workers = host.workers
      const all = workers.map(() => workers.length)
      expect(await Promise.all(workers.map(count))).toEqual(all)
      const another = await host.startWorker()
      expect(await count(another)).toBe(all.length + 1)
      for (const worker of workers)
        await until(async () => (await count(worker)) === all.length + 1, `${worker} knows of another worker`)
      await host.kill(another)
      for (const worker of host.workers)
        await until(async () => (await count(worker)) === all.length, `${worker} knows that it has exited`)
      expect(await Promise.all(workers.map(count))).toEqual(all)
    })

    it('is correct in the turn in which a namespace is created', async () => {
      const made = (worker: string) => host.run(worker, ({ io }) => io.of('/made').adapter.serverCount())
      expect(await made('w1')).toBe(1)
      expect(await made('w2')).toBe(2)
      expect(await made('w3')).toBe(3)
      const asked = await host.run('w3', ({ io }) => io.of('/made too').timeout(60_000).emitWithAck('ask'))
      expect(asked).toEqual([])
    })
  })

  describe('namespaces', () => {
    it('are isolated from each other', async () => {
      const main = await host.connect('w2')
      const chat = await host.connect('w2', { nsp: '/chat' })
      await host.run('w1', ({ io }) => {
        io.emit('main')
        io.of('/chat').emit('chat')
        io.emit('end')
        io.of('/chat').emit('end')
      })
      await Promise.all([main.received.until('end'), chat.received.until('end')])
      expect(main.received.events.map(([name]) => name)).toEqual(['joined', 'main', 'end'])
      expect(chat.received.events.map(([name]) => name)).toEqual(['joined', 'chat', 'end'])
    })

    it('that are dynamic work across workers, and through their parent', async () => {
      const nsp = '/dynamic-one'
      const [first, second] = await Promise.all([host.connect('w1', { nsp }), host.connect('w2', { nsp })])
      await host.run(
        'w1',
        ({ io }, name) => {
          io.of(name).emit('to the child')
          io.of(name).emit('end')
        },
        nsp,
      )
      await Promise.all([first.received.until('end'), second.received.until('end')])
      expect(second.received.events.map(([name]) => name)).toEqual(['joined', 'to the child', 'end'])
      await until(async () => (await serverCount('w1', nsp)) === 2, 'w1 knows both servers of the namespace')
    })

    it('that are empty are closed and leave nothing on any worker', async () => {
      const before = await bookkeeping()
      for (let round = 0; round < 12; round += 1) {
        const settings = { nsp: `/dynamic-r${round}`, rooms: ['red', 'blue'] }
        const clients = await Promise.all(host.workers.map((worker) => host.connect(worker, settings)))
        // A worker learns that another host has joined in some time after that host's clients are admitted.
        await until(
          async () => (await serverCount('w1', settings.nsp)) === host.workers.length,
          'w1 knows all servers of the namespace',
        )
        const fetched = host.run(
          'w1',
          async ({ io }, nsp) => (await io.of(nsp).fetchSockets()).length,
          settings.nsp,
        )
        expect(await fetched).toBe(host.workers.length)
        for (const { socket } of clients) socket.disconnect()
      }
      await until(async () => isDeepStrictEqual(await bookkeeping(), before), 'nothing is left')
    })

    it('that are created and closed during a request do not delay its answer', async () => {
      const nsp = '/dynamic-flap'
      await host.connect('w1', { nsp })
      const asked = host.run(
        'w1',
        async ({ io }, name) => {
          const found: number[] = []
          for (let round = 0; round < 200; round += 1) found.push((await io.of(name).fetchSockets()).length)
          return found
        },
        nsp,
      )
      for (let round = 0; round < 20; round += 1) {
        const { socket } = await host.connect('w2', { nsp })
        socket.disconnect()
      }
      for (const found of await asked) expect([1, 2]).toContain(found)
    })
  })

  describe('bookkeeping', () => {
    it('is back to its start when all clients have disconnected', async () => {
      const before = await bookkeeping()
      const clients = await Promise.all(
        host.workers.map((worker) => host.connect(worker, { rooms: ['red', worker] })),
      )
      for (const { socket } of clients) socket.on('ask', (answer: (value: number) => void) => answer(1))
      await host.run('w1', async ({ io }) => {
        io.socketsJoin(['x', 'y'])
        io.to('x').emit('n')
        await io.timeout(60_000).emitWithAck('ask')
        await io.fetchSockets()
        io.socketsLeave('y')
      })
      expect(await bookkeeping()).not.toEqual(before)
      for (const { socket } of clients) socket.disconnect()
      await until(async () => isDeepStrictEqual(await bookkeeping(), before), 'nothing is left')
    })
  })

  describe('garbage from another worker', () => {
    it('is counted, and everything continues to work', async () => {
      const { received } = await host.connect('w2')
      await host.run('w1', ({ link }) => {
        const bodies = [
          '',
          '\u0001',
          'no body at all',
          '\u0002\0\0\0\u0001/xyz',
          '\u0002\0\0\0\u0001/\u00ff\u000f"\u0001x',
        ]
        for (const body of bodies) link.publish(['e:/'], Buffer.from(body, 'latin1'))
      })
      await host.run('w1', ({ io }) => void io.emit('end'))
      await received.until('end')
      expect(await host.workerMetric('w2', 'rookery_adapter_malformed_total')).toBe(5)
    })
  })

  /**
   * Everything that could be left behind: topics, members, listeners, open requests, of primary and workers.
   */
  async function bookkeeping() {
    const workers = await Promise.all(
      host.workers.map((worker) =>
        host.run(worker, async ({ io, registry }) => {
          const gauge = async (name: string) =>
            (await registry.getSingleMetric(name)?.get())?.values[0]?.value
          return {
            listeners: process.listenerCount('message'),
            rooms: io.of('/').adapter.rooms.size,
            topics: await gauge('rookery_link_topics'),
            namespaces: await gauge('rookery_adapter_namespaces'),
            questions: await gauge('rookery_adapter_open_questions'),
          }
        }),
      ),
    )
    const metrics = ['topics', 'open_receipts', 'remote_memberships', 'unconfirmed_topics']
    const primaries = await Promise.all(metrics.map((name) => host.metric(`rookery_relay_${name}`)))
    return { primaries, workers }
  }
})
