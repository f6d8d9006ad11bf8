/** Messages and answers that are longer than a frame of the link: all of it arrives, in order, or the caller is told. */
import { describe, expect, it } from 'vitest'
import type { Received } from '../harness/adapter/host.ts'
import { AdapterHost, SHAPES } from '../harness/adapter/host.ts'
import { until } from '../harness/until.ts'

const MIB = 1024 * 1024

/** The name of each event, with the length of its last argument when that is bytes. */
function summary({ events }: Received): unknown[] {
  return events.slice(1).map(([name, ...args]) => {
    const last = args.at(-1)
    return Buffer.isBuffer(last) ? `${String(name)} ${last.length}` : name
  })
}

describe.each(SHAPES)('on %s:', (shape) => {
  const host = AdapterHost.shared(shape, { adapter: { answerTimeoutMs: 60_000 } })

  /** Each socket of the worker gets `bytes` bytes of data. */
  const burden = (worker: string, bytes: number) =>
    host.run(
      worker,
      ({ io }, length) => {
        for (const socket of io.of('/').sockets.values()) socket.data.ballast = Buffer.alloc(length, 'x')
      },
      bytes,
    )

  /** Fetches all sockets from `w1`. */
  const fetchAll = () =>
    host.run('w1', async ({ io }) => {
      let found: { data: { ballast?: Buffer } }[]
      let failure = {}
      try {
        found = await io.timeout(60_000).fetchSockets()
      } catch (error) {
        const { message, missing, responses } = error as Error & { missing: string[]; responses: never[] }
        failure = { message, missing }
        found = responses
      }
      const data = found.map((socket) => socket.data.ballast?.length ?? 0)
      return { ...failure, data: data.toSorted((a, b) => a - b) }
    })

  async function expectNothingKept(): Promise<void> {
    for (const worker of host.workers)
      for (const name of ['rookery_link_incomplete_bytes', 'rookery_adapter_held_answer_bytes'])
        await until(async () => (await host.workerMetric(worker, name)) === 0, `${name} of ${worker} is 0`)
  }

  it('an emit of 17 MiB reaches the clients of all workers, in the order of the calls', async () => {
    const clients = await Promise.all(host.workers.map((worker) => host.connect(worker, { rooms: ['red'] })))
    await host.run(
      'w1',
      ({ io }, bytes) => {
        io.emit('first')
        io.emit('large', Buffer.alloc(bytes, 'x'))
        io.to('red').emit('small')
        io.to('red').emit('large', 'text', Buffer.alloc(bytes / 8, 'x'))
        io.emit('end')
      },
      17 * MIB,
    )
    const sent = ['first', `large ${17 * MIB}`, 'small', `large ${(17 * MIB) / 8}`, 'end']
    for (const { received } of clients) {
      await received.until('end')
      expect(summary(received)).toEqual(sent)
    }
    await expectNothingKept()
  })

  it('an emit past the bound reaches the clients of its own worker, then the caller gets an error', async () => {
    const [own, other] = await Promise.all([host.connect('w1'), host.connect('w2')])
    const failures = await host.run(
      'w1',
      async ({ io }, bytes) => {
        const large = Buffer.alloc(bytes)
        const attempts: (() => unknown)[] = [
          () => io.emit('large', large),
          () => io.timeout(60_000).emitWithAck('large', large),
          () => io.serverSideEmit('large', large),
          () => io.serverSideEmitWithAck('large', large),
          () => io.socketsLeave('x'.repeat(bytes)),
        ]
        const codes: string[] = []
        for (const attempt of attempts) {
          try {
            await attempt()
            codes.push('none')
          } catch (error) {
            codes.push(String((error as { code: unknown }).code))
          }
        }
        io.emit('end')
        return codes
      },
      33 * MIB,
    )
    expect(failures).toEqual(Array.from({ length: 5 }, () => 'too_large'))
    await Promise.all([own.received.until('end'), other.received.until('end')])
    expect(summary(own.received)).toEqual([`large ${33 * MIB}`, 'large', 'end'])
    expect(summary(other.received)).toEqual(['end'])
    expect(await host.workerMetric('w1', 'rookery_link_too_large_total')).toBe(5)
  })

  it('fetchSockets returns all sockets when the answers have 20 MB', async () => {
    for (const worker of host.workers) {
      await Promise.all([1, 2, 3].map(() => host.connect(worker)))
      await burden(worker, 7_000_000)
    }
    expect(await fetchAll()).toEqual({
      data: Array.from({ length: 3 * host.workers.length }, () => 7_000_000),
    })
    await expectNothingKept()
  })

  it('fetchSockets rejects when an answer is past the bound: it names the worker, and carries the rest', async () => {
    for (const worker of host.workers) await host.connect(worker)
    await burden('w2', 65 * MIB)
    const missing = host.nameFor('w1', 'w2')
    expect(await fetchAll()).toEqual({
      message: `not every server could answer: missing 1 responses (${missing})`,
      missing: [missing],
      data: host.workers.slice(1).map(() => 0),
    })
    expect(await host.workerMetric('w1', 'rookery_adapter_answers_failed_total')).toBe(1)
  })

  it('serverSideEmit carries large arguments, in order, and large answers', async () => {
    for (const worker of host.workers)
      await host.run(worker, ({ io, noted }) => {
        noted.length = 0
        const note = (value: unknown) => noted.push(Buffer.isBuffer(value) ? value.length : value)
        io.of('/').on('tell' as 'connection', note)
        io.of('/').on('ask' as 'connection', (...args: unknown[]) => {
          const [value, answer] = args as [Buffer, (value: Buffer) => void]
          answer(value)
        })
      })
    await host.run(
      'w1',
      ({ io }, bytes) => {
        io.serverSideEmit('tell', 1)
        io.serverSideEmit('tell', Buffer.alloc(bytes))
        io.serverSideEmit('tell', 2)
      },
      17 * MIB,
    )
    for (const worker of host.workers.slice(1)) {
      const noted = () => host.run(worker, (context) => context.noted)
      await until(async () => (await noted()).length === 3, `${worker} has all three`)
      expect(await noted()).toEqual([1, 17 * MIB, 2])
    }
    const answers = await host.run(
      'w1',
      async ({ io }, bytes) => {
        const large = Buffer.alloc(bytes)
        const got = (await io.serverSideEmitWithAck('ask', large)) as unknown as Buffer[]
        return got.map(({ length }) => length)
      },
      17 * MIB,
    )
    expect(answers).toEqual(host.workers.slice(1).map(() => 17 * MIB))
    await expectNothingKept()
  })

  it('a broadcast with acknowledgement carries a large argument and large answers', async () => {
    for (const worker of host.workers) {
      const { socket } = await host.connect(worker)
      socket.on('ask', (value: Buffer, answer: (value: unknown) => void) =>
        answer({ got: value.length, answer: Buffer.alloc(900_000) }),
      )
    }
    const answers = await host.run(
      'w1',
      async ({ io }, bytes) => {
        const got = (await io.timeout(60_000).emitWithAck('ask', Buffer.alloc(bytes))) as unknown[]
        return (got as { got: number; answer: Buffer }[]).map(({ got: length, answer }) => [
          length,
          answer.length,
        ])
      },
      17 * MIB,
    )
    expect(answers).toEqual(host.workers.map(() => [17 * MIB, 900_000]))
  })

  it('long lists of rooms reach all workers', async () => {
    const last = 'left 199999'.padEnd(100)
    const { id, received } = await host.connect('w2', { rooms: ['kept', last] })
    const rooms = () =>
      host.run('w2', ({ io }, socket) => [...(io.sockets.adapter.socketRooms(socket) ?? [])], id)
    await host.run('w1', ({ io }) => {
      io.socketsLeave(Array.from({ length: 200_000 }, (_, index) => `left ${index}`.padEnd(100)))
    })
    await until(async () => !(await rooms()).includes(last), 'the socket has left')
    expect(await rooms()).toEqual([id, 'kept'])
    await host.run('w1', ({ io }) => {
      const others = Array.from({ length: 200_000 }, (_, index) => `left ${index}`.padEnd(100))
      io.except(others).disconnectSockets(false)
    })
    await received.until('disconnect')
  })

  it('a worker that dies in the middle of an emit harms nobody', async () => {
    const clients = await Promise.all(['w1', 'w2'].map((worker) => host.connect(worker)))
    const dying = host.workers.at(-1) ?? ''
    const dead = host.run(
      dying,
      ({ io }, bytes) => {
        io.emit('large', Buffer.alloc(bytes))
        process.kill(process.pid, 'SIGKILL')
      },
      20 * MIB,
    )
    dead.catch(() => undefined)
    await until(
      async () => (await host.run('w1', ({ io }) => io.of('/').adapter.serverCount())) < host.workers.length,
      'it is gone',
    )
    host.forget(dying)
    await host.run('w1', ({ io }) => void io.emit('end'))
    for (const { received } of clients) {
      await received.until('end')
      expect(summary(received)).toEqual(['end'])
    }
    await expectNothingKept()
  })
})
