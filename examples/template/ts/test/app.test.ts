import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCluster } from 'rookery/testing'
import { io, type Socket } from 'socket.io-client'

const next = (client: Socket, event: string) => new Promise((resolve) => client.once(event, resolve))

await test('a room spans the workers, and clients come back after a crash', async (t) => {
  const cluster = await startCluster({ app: new URL('../app.ts', import.meta.url), workers: 2 })
  // Each worker gets two of them.
  const clients = Array.from({ length: 4 }, () => io(cluster.url, { forceNew: true }))
  t.after(async () => {
    for (const client of clients) client.disconnect()
    await cluster.stop()
  })
  await Promise.all(clients.map((client) => client.emitWithAck('join', 'lobby')))
  const heard = clients.map((client) => next(client, 'said'))
  clients[0]?.emit('say', 'lobby', 'hello')
  assert.deepEqual(
    await Promise.all(heard),
    Array.from({ length: 4 }, () => 'hello'),
  )

  const back = Promise.any(
    clients.map((client) => new Promise((resolve) => client.io.once('reconnect', resolve))),
  )
  cluster.killWorker()
  await back
  await cluster.untilReady()
  assert.equal(cluster.workers().length, 2)
})
