/** An application whose libraries add enumerable properties to `Object.prototype` works over all workers. */
import { fileURLToPath } from 'node:url'
import { io, type Socket } from 'socket.io-client'
import { expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const APP = fileURLToPath(new URL('../fixtures/apps/inherited-properties.js', import.meta.url))
const ACK_TIMEOUT_MS = 60_000

async function connect({ url }: RunningRookery, transport: 'websocket' | 'polling'): Promise<Socket> {
  const socket = io(url, { forceNew: true, reconnection: false, transports: [transport] })
  socket.on('news', (_worker, answer) => answer('got it'))
  await new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(undefined))
    socket.once('connect_error', reject)
  })
  return socket
}

async function ask(socket: Socket, what: string) {
  const { answer } = await socket.timeout(ACK_TIMEOUT_MS).emitWithAck('ask', what, { of: 'it' })
  return answer
}

test('connects, events over workers, metrics and the drain work, also when one is added later', async () => {
  const rookery = await startRookery({ args: ['--app', APP], env: { DRAIN_MS: '200' } })
  try {
    const transports = ['websocket', 'polling', 'websocket', 'polling'] as const
    const sockets = await Promise.all(transports.map((transport) => connect(rookery, transport)))
    const disconnects: string[] = []
    for (const socket of sockets) socket.on('disconnect', (reason) => disconnects.push(reason))
    const [first] = sockets
    if (first === undefined) throw new Error('there are four')
    expect(await ask(first, 'echo')).toEqual({ value: { of: 'it' }, isEmpty: 'function' })
    const works = async () => {
      expect(await ask(first, 'sockets')).toBe(4)
      expect(await ask(first, 'servers')).toBe(1)
      expect(await ask(first, 'clients')).toBe(4)
      expect(await ask(first, 'joined')).toBe(4)
      expect((await fetch(`${rookery.url}/route`)).status).toBe(200)
      const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
      for (const worker of ['w1', 'w2'])
        expect(metrics).toMatch(
          new RegExp(`^rookery_nodejs_heap_space_size_used_bytes{.*worker="${worker}"`, 'm'),
        )
    }
    await works()
    for (const socket of sockets) await ask(socket, 'later')
    for (const socket of sockets)
      await until(async () => (await ask(socket, 'enumerated')).length === 0, 'the property is hidden')
    await works()
    expect(disconnects).toEqual([])
    expect(rookery.log('worker died')).toBeUndefined()
    expect(await rookery.stop()).toBe(0)
  } finally {
    await rookery.kill()
  }
})
