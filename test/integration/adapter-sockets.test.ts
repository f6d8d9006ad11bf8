import { describe, expect, it } from 'vitest'
import { AdapterHost, SHAPES } from '../harness/adapter/host.ts'

describe.each(SHAPES)('on %s:', (shape) => {
  const host = AdapterHost.shared(shape)

  /** Names, by `socket.data`, of the sockets in `room` (or of all), as another worker fetches them. */
  const fetchNames = (worker: string, room?: string) =>
    host.run(
      worker,
      async ({ io }, wanted) => {
        const sockets = await (wanted === undefined ? io.fetchSockets() : io.in(wanted).fetchSockets())
        return sockets.map(({ data }) => data['name'] as string).toSorted()
      },
      room,
    )

  async function three(rooms: string[][] = []) {
    const workers = ['w1', 'w2', 'w3']
    return Promise.all(
      workers.map((worker, index) =>
        host.connect(worker, { rooms: rooms[index] ?? [], data: { name: worker } }),
      ),
    )
  }

  describe('fetchSockets', () => {
    it('finds the sockets of all workers, by room; without excepted rooms or remote workers on request', async () => {
      await three([['red'], ['red', 'shy'], ['blue']])
      expect(await fetchNames('w1')).toEqual(['w1', 'w2', 'w3'])
      expect(await fetchNames('w3', 'red')).toEqual(['w1', 'w2'])
      expect(await fetchNames('w3', 'nobody')).toEqual([])
      const some = await host.run('w3', async ({ io }) => {
        const [others, own] = await Promise.all([io.except('shy').fetchSockets(), io.local.fetchSockets()])
        return [others.length, own.length]
      })
      expect(some).toEqual([2, 1])
    })

    it('returns id, rooms, handshake and data of any type of a remote socket', async () => {
      const { id } = await host.connect('w2', { rooms: ['red'] })
      await host.run('w2', ({ io }) => {
        for (const socket of io.of('/').sockets.values()) {
          socket.data = {
            map: new Map([[1, { at: new Date(5) }]]),
            bytes: Buffer.from('x'),
            nothing: undefined,
          }
        }
      })
      const found = await host.run('w1', async ({ io }) => {
        const sockets = await io.in('red').fetchSockets()
        return sockets.map(({ id: sid, rooms, handshake, data }) => ({
          sid,
          rooms,
          auth: handshake.auth,
          data,
        }))
      })
      expect(found).toEqual([
        {
          sid: id,
          rooms: new Set([id, 'red']),
          auth: { rooms: ['red'], data: {} },
          data: { map: new Map([[1, { at: new Date(5) }]]), bytes: Buffer.from('x'), nothing: undefined },
        },
      ])
    })

    it('returns the values that can be cloned when one cannot', async () => {
      await three()
      await host.run('w2', ({ io }) => {
        for (const socket of io.of('/').sockets.values()) {
          const deep = { fine: 1, fn: () => 1, list: [1, () => 2], proxy: new Proxy({ inside: 2 }, {}) }
          Object.assign(socket.data, deep)
        }
      })
      const found = await host.run('w1', async ({ io }) => {
        const sockets = await io.fetchSockets()
        return sockets.map(({ data }) => data).find(({ name }) => name === 'w2')
      })
      expect(found).toEqual({
        name: 'w2',
        fine: 1,
        fn: undefined,
        list: [1, undefined],
        proxy: { inside: 2 },
      })
      const lines = await host.run('w2', ({ logged }) => logged.map(({ msg }) => msg))
      expect(lines).toContain('fetched sockets: values without a structured clone were left out')
      expect(await host.workerMetric('w2', 'rookery_adapter_uncloned_total')).toBe(1)
      const before = await host.run('w2', ({ io }) => {
        for (const socket of io.of('/').sockets.values()) socket.data = new Proxy(socket.data, {})
        return io.of('/').sockets.size
      })
      expect(before).toBe(1)
      expect(await fetchNames('w3')).toEqual(['w1', 'w2', 'w3'])
    })

    it('returns remote sockets that can be emitted to, moved and disconnected', async () => {
      const [, second] = await three()
      await host.run('w1', async ({ io }) => {
        const sockets = await io.fetchSockets()
        for (const socket of sockets.filter(({ data }) => data['name'] === 'w2')) {
          socket.emit('hello', socket.id)
          socket.join('red')
          io.to('red').emit('joined red')
          socket.leave('red')
          io.to('red').emit('not heard')
          socket.disconnect(true)
        }
      })
      await second?.received.until('disconnect')
      expect(second?.received.events).toEqual([
        ['joined'],
        ['hello', second?.id],
        ['joined red'],
        ['disconnect', expect.any(String)],
      ])
    })
  })

  describe('allSockets and allRooms', () => {
    it('name the sockets and the rooms of all workers', async () => {
      const members = await three([['red'], ['red', 'shy'], ['blue']])
      const ids = members.map(({ id }) => id)
      const found = await host.run('w3', async ({ io }) => {
        const { adapter } = io.of('/') as unknown as { adapter: { allRooms(): Promise<Set<string>> } }
        const lists = [
          io.allSockets(),
          io.in('red').allSockets(),
          io.in('nobody').allSockets(),
          adapter.allRooms(),
        ]
        return (await Promise.all(lists)).map((names) => [...names].toSorted())
      })
      const red = ids.slice(0, 2).toSorted()
      expect(found).toEqual([ids.toSorted(), red, [], ['red', 'shy', 'blue', ...ids].toSorted()])
    })

    it('are asked for without the data of the sockets', async () => {
      await three()
      await host.run('w2', ({ io }) => {
        for (const socket of io.of('/').sockets.values()) socket.data['fn'] = () => 1
      })
      const uncloned = () => host.workerMetric('w2', 'rookery_adapter_uncloned_total')
      const before = await uncloned()
      expect(await host.run('w1', async ({ io }) => (await io.allSockets()).size)).toBe(3)
      expect(await uncloned()).toBe(before)
    })
  })

  describe('socketsJoin and socketsLeave', () => {
    it('move the selected sockets of all workers, and no others', async () => {
      await three([['red'], ['red'], []])
      await host.run('w3', ({ io }) => io.in('red').socketsJoin(['x', 'y']))
      expect(await fetchNames('w3', 'x')).toEqual(['w1', 'w2'])
      await host.run('w1', ({ io }) => io.socketsJoin('z'))
      expect(await fetchNames('w1', 'z')).toEqual(['w1', 'w2', 'w3'])
      await host.run('w2', ({ io }) => io.in('x').socketsLeave('y'))
      expect(await fetchNames('w2', 'y')).toEqual([])
      expect(await fetchNames('w2', 'x')).toEqual(['w1', 'w2'])
      await host.run('w2', ({ io }) => io.local.socketsLeave('x'))
      expect(await fetchNames('w2', 'x')).toEqual(['w1'])
    })
  })

  it('concern nobody elsewhere when the room is no string or number', async () => {
    const members = await three([['red'], ['red'], []])
    await host.run('w2', async ({ io }) => {
      for (const socket of io.of('/').sockets.values()) await socket.join(null as unknown as string)
    })
    const found = await host.run('w1', async ({ io }) => {
      const odd = [undefined, null, true, {}, Symbol('room')] as unknown as string[]
      const counts: number[] = []
      for (const room of [...odd, odd]) {
        counts.push((await io.in(room).fetchSockets()).length)
        io.in(room).socketsJoin('x')
        io.in(room).disconnectSockets(true)
      }
      for (const room of odd) {
        io.in('red').socketsJoin([room, 'y'])
        io.in('red').socketsLeave([room])
      }
      io.in('red').socketsJoin(odd[0] ?? '')
      const named = await io.in([...odd, 'red']).fetchSockets()
      return { counts, areJoined: named.map(({ rooms }) => rooms.has('y')) }
    })
    expect(found).toEqual({ counts: [0, 0, 0, 0, 0, 0], areJoined: [true, true] })
    expect(await fetchNames('w3', 'x')).toEqual([])
    expect(await fetchNames('w3', 'red')).toEqual(['w1', 'w2'])
    expect(members.map(({ socket }) => socket.connected)).toEqual([true, true, true])
  })

  it('join more rooms at once than one message may name', async () => {
    await three([['red'], ['red'], []])
    await host.run('w3', ({ io }) =>
      io.in('red').socketsJoin(Array.from({ length: 5_000 }, (_, index) => `many-${index}`)),
    )
    for (const room of ['many-0', 'many-1024', 'many-4999'])
      expect(await fetchNames('w3', room)).toEqual(['w1', 'w2'])
  })

  describe('disconnectSockets', () => {
    it('disconnects the selected sockets of all workers', async () => {
      const [first, second, third] = await three([['red'], ['red'], []])
      await host.run('w3', ({ io }) => io.in('red').disconnectSockets())
      await Promise.all([first?.received.until('disconnect'), second?.received.until('disconnect')])
      expect(first?.received.events.at(-1)).toEqual(['disconnect', 'io server disconnect'])
      expect(third?.socket.connected).toBe(true)
      await host.run('w1', ({ io }) => io.disconnectSockets(true))
      await third?.received.until('disconnect')
      expect(await fetchNames('w2')).toEqual([])
    })
  })
})
