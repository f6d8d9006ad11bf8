import { describe, expect, it } from 'vitest'
import type { ClientSettings, Received } from '../harness/adapter/host.ts'
import { AdapterHost, SHAPES } from '../harness/adapter/host.ts'

describe.each(SHAPES)('on %s:', (shape) => {
  const host = AdapterHost.shared(shape)

  /** One client per worker, with the given rooms, and everything that each has received. */
  async function clients(rooms: string[][], settings: ClientSettings = {}): Promise<Received[]> {
    const connected = await Promise.all(
      ['w1', 'w2', 'w3'].map((worker, index) =>
        host.connect(worker, { ...settings, rooms: rooms[index] ?? [] }),
      ),
    )
    return connected.map(({ received }) => received)
  }

  /** What arrived before a marker that the same worker broadcasts. */
  async function eventsOf(received: Received[], worker = 'w1', nsp = '/'): Promise<unknown[][][]> {
    await host.run(worker, ({ io }, namespace) => void io.of(namespace).emit('fence'), nsp)
    await Promise.all(received.map(({ until }) => until('fence')))
    return received.map(({ events }) => events.filter(([name]) => name !== 'joined' && name !== 'fence'))
  }

  const passedTo = (worker: string) => host.metric('rookery_relay_passed_total', { worker })

  describe('a broadcast', () => {
    it('reaches every client of every worker', async () => {
      const received = await clients([])
      await host.run('w1', ({ io }) => void io.emit('news', 1, 'two', { three: [4] }, null))
      const news = [['news', 1, 'two', { three: [4] }, null]]
      expect(await eventsOf(received)).toEqual([news, news, news])
    })

    it('to rooms reaches each member once, except members of excepted rooms', async () => {
      const received = await clients([
        ['red', 'blue'],
        ['red', 'blue'],
        ['blue', 'shy'],
      ])
      await host.run('w1', ({ io }) => {
        io.to('red').emit('a')
        io.to(['red', 'blue']).emit('b')
        io.to('blue').except('shy').emit('c')
        io.except(['red']).emit('d')
        io.to('nobody').emit('e')
      })
      const [first, second, third] = await eventsOf(received)
      expect(first).toEqual([['a'], ['b'], ['c']])
      expect(second).toEqual([['a'], ['b'], ['c']])
      expect(third).toEqual([['b'], ['d']])
    })

    it('from a socket reaches every client but itself', async () => {
      const received = await clients([['red'], ['red'], []])
      await host.run('w1', ({ io }) => {
        for (const socket of io.of('/').sockets.values()) {
          socket.broadcast.emit('all others')
          socket.to('red').emit('red others')
        }
      })
      const [first, second, third] = await eventsOf(received)
      expect(first).toEqual([])
      expect(second).toEqual([['all others'], ['red others']])
      expect(third).toEqual([['all others']])
    })

    it('to a socket id reaches that socket on another worker', async () => {
      const target = await host.connect('w3')
      const other = await host.connect('w2')
      await host.run('w1', ({ io }, id) => void io.to(id).emit('private'), target.id)
      expect(await eventsOf([target.received, other.received])).toEqual([[['private']], []])
    })

    it('to a socket id reaches sockets of other workers that joined its room', async () => {
      const target = await host.connect('w3')
      const others = await Promise.all(
        ['w2', 'w3'].map((worker) => host.connect(worker, { rooms: [target.id] })),
      )
      const received = [target, ...others].map((client) => client.received)
      for (const worker of ['w1', 'w2', 'w3']) {
        const asked = { id: target.id, event: `from ${worker}` }
        await host.run(worker, ({ io }, { id, event }) => void io.to(id).emit(event), asked)
        await Promise.all(received.map(({ until }) => until(asked.event)))
      }
      const each = [['from w1'], ['from w2'], ['from w3']]
      expect(await eventsOf(received)).toEqual([each, each, each])
    })

    it('that is local stays on its worker', async () => {
      const received = await clients([])
      await host.run('w2', ({ io }) => void io.local.emit('here'))
      expect(await eventsOf(received, 'w2')).toEqual([[], [['here']], []])
    })

    it('that is volatile or (un)compressed arrives like any other', async () => {
      const received = await clients([['red'], ['red'], ['red']])
      await host.run('w1', ({ io }) => {
        io.volatile.emit('v')
        io.compress(true).to('red').emit('c')
        io.compress(false).emit('u')
      })
      for (const events of await eventsOf(received)) expect(events).toEqual([['v'], ['c'], ['u']])
    })

    it('carries binary attachments of any kind', async () => {
      const received = await clients([])
      await host.run('w1', ({ io }) => {
        io.emit('bin', Buffer.from('one'), { deep: [new Uint8Array([1, 2, 3])] }, new Uint8Array([7]).buffer)
        io.emit('text')
      })
      const bin = ['bin', Buffer.from('one'), { deep: [Buffer.from([1, 2, 3])] }, Buffer.from([7])]
      for (const events of await eventsOf(received)) expect(events).toEqual([bin, ['text']])
    })

    it('reaches clients on every transport', async () => {
      const received = await clients([['red'], ['red'], ['red']], { options: { transports: ['polling'] } })
      await host.run('w1', ({ io }) => void io.to('red').emit('poll', 'ü€𝄞', Buffer.from('bytes')))
      for (const events of await eventsOf(received))
        expect(events).toEqual([['poll', 'ü€𝄞', Buffer.from('bytes')]])
    })

    it('to a room with an unusual name, or a number, reaches it', async () => {
      const names = ['', 'a,b', '\0', 'ü'.repeat(300), 'x'.repeat(70_000)]
      const received = await clients([[], names, []])
      await host.run('w2', async ({ io }) => {
        for (const socket of io.of('/').sockets.values()) await socket.join(42 as unknown as string)
      })
      await host.run(
        'w1',
        ({ io }, rooms) => {
          for (const [index, room] of rooms.entries()) io.to(room).emit(`room ${index}`)
          io.to(42 as unknown as string).emit('number')
          io.to('42').emit('text')
        },
        names,
      )
      const [first, second] = await eventsOf(received)
      expect(first).toEqual([])
      expect(second?.map(([name]) => name)).toEqual([...names.map((_, index) => `room ${index}`), 'number'])
    })

    it('to what is no string or number reaches nobody elsewhere, and excepting it excepts nobody', async () => {
      const received = await clients([['red'], ['red'], []])
      await host.run('w1', ({ io }) => {
        const odd = [undefined, null, true, false, {}, Symbol('room')] as unknown as string[]
        for (const room of odd) {
          io.to(room).emit('odd')
          io.to('red').except(room).emit('red')
        }
        io.to(odd).emit('all of them')
        io.to([...odd, 'red'])
          .except(odd.slice(1))
          .emit('red too')
      })
      const red = [...Array.from({ length: 6 }, () => ['red']), ['red too']]
      expect(await eventsOf(received)).toEqual([red, red, []])
      // As in Socket.IO, such a room can have members on its own worker.
      await host.run('w3', async ({ io }) => {
        for (const socket of io.of('/').sockets.values()) await socket.join(undefined as unknown as string)
        io.to(undefined as unknown as string).emit('own')
      })
      expect(await eventsOf(received, 'w3')).toEqual([red, red, [['own']]])
    })

    it('with acks to what is no string or number has no recipients', async () => {
      await clients([])
      const answers = await host.run('w1', ({ io }) => {
        const nobody = undefined as unknown as string
        return io.timeout(60_000).to(nobody).emitWithAck('ask')
      })
      expect(answers).toEqual([])
    })

    it('to very many rooms reaches a member once', async () => {
      const received = await clients([[], ['room 999', 'room 7'], []])
      await host.run('w1', ({ io }) => {
        io.to(Array.from({ length: 1_000 }, (_, index) => `room ${index}`)).emit('many')
      })
      expect(await eventsOf(received)).toEqual([[], [['many']], []])
    })

    it('is seen by outgoing listeners on its worker and on others', async () => {
      const received = await clients([])
      for (const worker of ['w1', 'w2']) {
        await host.run(worker, ({ io, noted }) => {
          noted.length = 0
          for (const socket of io.of('/').sockets.values())
            socket.onAnyOutgoing((...args: unknown[]) => noted.push(args))
        })
      }
      await host.run('w1', ({ io }) => void io.emit('seen', { a: Buffer.from('x') }))
      await eventsOf(received)
      for (const worker of ['w1', 'w2']) {
        const noted = await host.run(worker, ({ noted: all }) => all)
        expect(noted).toEqual([['seen', { a: Buffer.from('x') }], ['fence']])
      }
    })
  })

  describe('order', () => {
    it('of emits to all, to rooms and to one socket is the order of the calls', async () => {
      const received = await clients([['red'], ['red'], ['red']])
      await host.run('w1', ({ io }) => {
        for (let index = 0; index < 200; index += 1) {
          io.emit('n', index * 3)
          for (const socket of io.of('/').sockets.values()) socket.emit('n', index * 3 + 1)
          io.to('red').emit('n', index * 3 + 2)
        }
      })
      const [first, second, third] = await eventsOf(received)
      const all = Array.from({ length: 600 }, (_, index) => ['n', index])
      expect(first).toEqual(all)
      expect(second).toEqual(all.filter(([, index]) => Number(index) % 3 !== 1))
      expect(third).toEqual(second)
    })

    it('is kept: emits before a socket leaves the room are not lost', async () => {
      const received = await clients([['red'], ['red'], ['red']])
      await host.run('w1', ({ io }) => {
        io.to('red').emit('last')
        for (const socket of io.of('/').sockets.values()) void socket.leave('red')
        io.to('red').emit('gone here')
        io.in('red').socketsLeave('red')
        io.to('red').emit('gone everywhere')
      })
      const [first, second, third] = await eventsOf(received)
      expect(first).toEqual([['last']])
      expect(second).toEqual([['last'], ['gone here']])
      expect(third).toEqual(second)
    })

    it('is kept: emits before sockets are disconnected are not lost', async () => {
      const received = await clients([])
      await host.run('w1', ({ io }) => {
        io.emit('bye')
        io.disconnectSockets(true)
      })
      await Promise.all(received.map(({ until }) => until('disconnect')))
      for (const { events } of received) {
        expect(events.map(([name]) => name)).toEqual(['joined', 'bye', 'disconnect'])
      }
    })

    it('is kept: an emit after socketsJoin reaches the sockets that it joined, on all workers', async () => {
      const received = await clients([['red'], ['red'], []])
      await host.run('w1', ({ io }) => {
        io.in('red').socketsJoin(['new', 'newer'])
        io.to('new').emit('welcome')
        io.to('newer').except('new').emit('none')
      })
      expect(await eventsOf(received)).toEqual([[['welcome']], [['welcome']], []])
      expect(await host.metric('rookery_relay_topics')).toBeGreaterThan(0)
    })

    it('is kept: an emit from any worker reaches sockets whose join was awaited', async () => {
      const received = await clients([])
      for (let round = 0; round < 50; round += 1) {
        await host.run(
          'w2',
          async ({ io }, room) => {
            for (const socket of io.of('/').sockets.values()) await socket.join(room)
          },
          `round ${round}`,
        )
        await host.run('w3', ({ io }, room) => void io.to(room).emit(room), `round ${round}`)
      }
      const [, second] = await eventsOf(received, 'w3')
      expect(second).toEqual(Array.from({ length: 50 }, (_, round) => [`round ${round}`]))
    })

    it('is kept when sockets join and leave many times in one turn', async () => {
      const received = await clients([])
      await host.run('w2', async ({ io }) => {
        for (const socket of io.of('/').sockets.values()) {
          for (let round = 0; round < 99; round += 1) {
            void socket.join('flap')
            void socket.leave('flap')
          }
          await socket.join('flap')
        }
      })
      await host.run('w1', ({ io }) => void io.to('flap').emit('in'))
      expect(await eventsOf(received)).toEqual([[], [['in']], []])
      await host.run('w2', ({ io }) => io.in('flap').socketsLeave('flap'))
      await eventsOf(received, 'w2')
    })
  })

  describe('routing by interest', () => {
    it('sends room broadcasts only to workers with members of the room', async () => {
      const received = await clients([['red'], ['red'], []])
      const before = await Promise.all(['w2', 'w3'].map((worker) => passedTo(worker)))
      await host.run('w1', ({ io }) => {
        for (let index = 0; index < 100; index += 1) io.to('red').emit('n', index)
        io.to('nobody').emit('unheard')
      })
      await eventsOf(received)
      const after = await Promise.all(['w2', 'w3'].map((worker) => passedTo(worker)))
      // The marker broadcast adds one for each.
      expect(after.map((passed, index) => passed - (before[index] ?? 0))).toEqual([101, 1])
    })

    it('sends broadcasts to everybody only to workers with a client', async () => {
      const { received } = await host.connect('w1')
      const other = await host.connect('w2')
      const before = await passedTo('w3')
      await host.run('w1', ({ io }) => void io.emit('all'))
      expect(await eventsOf([received, other.received])).toEqual([[['all']], [['all']]])
      expect(await passedTo('w3')).toBe(before)
    })
  })

  describe('a broadcast that cannot be sent', () => {
    it('throws to the caller, and has no other effect', async () => {
      const received = await clients([])
      const errors = await host.run('w1', ({ io }) => {
        const circular: Record<string, unknown> = {}
        circular['self'] = circular
        const calls = [() => io.emit('x', circular), () => io.emit('x', 1n)]
        return calls.map((call) => {
          try {
            return String(call())
          } catch (error) {
            return String(error)
          }
        })
      })
      expect(errors[0]).toMatch(/circular|Maximum call stack/)
      expect(errors[1]).toMatch(/BigInt/)
      expect(await eventsOf(received)).toEqual([[], [], []])
    })

    it('drops functions in arguments as a single server does', async () => {
      const received = await clients([])
      await host.run('w1', ({ io }) => void io.emit('x', { keep: 1, drop: () => 1 }))
      for (const events of await eventsOf(received)) expect(events).toEqual([['x', { keep: 1 }]])
    })
  })
})
