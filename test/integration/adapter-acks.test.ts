import { describe, expect, it } from 'vitest'
import { AdapterHost, SHAPES } from '../harness/adapter/host.ts'
import { until } from '../harness/until.ts'

const names = (answers: unknown) => (answers as { name: string }[]).map(({ name }) => name).toSorted()

describe.each(SHAPES)('on %s:', (shape) => {
  const host = AdapterHost.shared(shape)

  /** A client that answers each `ask` with its own name. */
  async function answering(worker: string, name: string, rooms: string[] = []) {
    const client = await host.connect(worker, { rooms })
    client.socket.on('ask', (...args: unknown[]) => {
      const answer = args.at(-1)
      if (typeof answer === 'function') answer({ name, got: args.slice(0, -1) })
    })
    return client
  }

  describe('a broadcast with acknowledgement', () => {
    it('collects the answers of all clients of all workers', async () => {
      await Promise.all([
        answering('w1', 'a'),
        answering('w2', 'b'),
        answering('w2', 'c'),
        answering('w3', 'd'),
      ])
      const answers = await host.run('w1', ({ io }) => io.timeout(60_000).emitWithAck('ask', 1))
      expect(names(answers)).toEqual(['a', 'b', 'c', 'd'])
    })

    it('collects the answers of the members of a room, on any worker', async () => {
      await Promise.all([answering('w1', 'a'), answering('w2', 'b', ['red']), answering('w3', 'c')])
      for (const worker of host.workers) {
        const answers = await host.run(worker, ({ io }) => io.to('red').timeout(60_000).emitWithAck('ask'))
        expect(names(answers)).toEqual(['b'])
      }
    })

    it('ends at once when there is no client, or when it is local', async () => {
      await Promise.all([answering('w1', 'a'), answering('w2', 'b')])
      expect(await host.run('w1', ({ io }) => io.to('nobody').timeout(60_000).emitWithAck('ask'))).toEqual([])
      const own = await host.run('w1', ({ io }) => io.local.timeout(60_000).emitWithAck('ask'))
      expect(names(own)).toEqual(['a'])
    })

    it('carries binary arguments and answers', async () => {
      const { socket } = await host.connect('w2')
      socket.on('ask', (value: Buffer, answer: (value: unknown) => void) =>
        answer([value, Buffer.from('answer')]),
      )
      const answers = await host.run('w1', ({ io }) =>
        io.timeout(60_000).emitWithAck('ask', Buffer.from('question')),
      )
      expect(answers).toEqual([[Buffer.from('question'), Buffer.from('answer')]])
    })

    it('does not mix up answers when all workers broadcast at once', async () => {
      await Promise.all([answering('w1', 'a'), answering('w2', 'b'), answering('w3', 'c')])
      const asked = await Promise.all(
        ['w1', 'w2', 'w3'].map((worker) =>
          host.run(
            worker,
            ({ io }, from) =>
              Promise.all(
                Array.from({ length: 50 }, (_, index) =>
                  io.timeout(60_000).emitWithAck('ask', `${from} ${index}`),
                ),
              ),
            worker,
          ),
        ),
      )
      for (const [at, rounds] of asked.entries()) {
        for (const [index, answers] of rounds.entries()) {
          expect(names(answers)).toEqual(['a', 'b', 'c'])
          for (const { got } of answers as { got: unknown[] }[]) expect(got).toEqual([`w${at + 1} ${index}`])
        }
      }
    })

    it('fails with the answers received so far when not every client answers', async () => {
      await answering('w1', 'a')
      await answering('w3', 'b')
      await host.connect('w2')
      const outcome = await host.run('w1', async ({ io }) => {
        try {
          return await io.timeout(3_000).emitWithAck('ask')
        } catch (error) {
          return { message: String(error), responses: (error as { responses: unknown }).responses }
        }
      })
      expect(outcome).toMatchObject({ message: 'Error: operation has timed out' })
      expect(names((outcome as { responses: unknown }).responses)).toEqual(['a', 'b'])
    })

    it('leaves nothing behind, answered or not', async () => {
      await answering('w1', 'a')
      await host.connect('w2')
      await host.run('w1', ({ io }) =>
        io
          .timeout(1)
          .emitWithAck('ask')
          .catch(() => null),
      )
      for (const worker of host.workers) {
        const held = () =>
          host.run(worker, ({ io }) =>
            [...io.of('/').sockets.values()].reduce((sum, socket) => sum + socket['acks'].size, 0),
          )
        const open = () => host.workerMetric(worker, 'rookery_adapter_open_questions')
        await until(async () => (await held()) + (await open()) === 0, `${worker} holds no resources`)
      }
    })

    it('works for one socket fetched from another worker', async () => {
      const { id } = await answering('w3', 'c')
      const answer = await host.run(
        'w1',
        async ({ io }, target) => {
          const [socket] = await io.in(target).fetchSockets()
          return socket?.timeout(60_000).emitWithAck('ask', 7)
        },
        id,
      )
      expect(answer).toEqual({ name: 'c', got: [7] })
    })
  })
})
