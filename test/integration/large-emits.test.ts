/** One large emit reaches a client that reads slowly; one that does not read is disconnected, with the reason in the log. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'

const APP = new URL('../fixtures/apps/large.js', import.meta.url).pathname
const LARGE_BYTES = 24_000_000

let rookery: RunningRookery
const start = async (env: Record<string, string> = {}) => {
  rookery = await startRookery({ args: ['--app', APP], env: { WORKERS: '1', ...env } })
}
afterEach(() => rookery.kill())

/** A client of Socket.IO's protocol that has joined, and asks for the large emit. */
async function ask(): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${rookery.port}/socket.io/?EIO=4&transport=websocket`)
  await once(client, 'message')
  client.send('40')
  await once(client, 'message')
  client.send(`42["give",${LARGE_BYTES}]`)
  return client
}

test('a client that reads slowly gets all of it', async () => {
  await start()
  const client = await ask()
  const seen = { bytes: 0, isClosed: false }
  client.on('close', () => Object.assign(seen, { isClosed: true }))
  client.on('message', (data: Buffer, isBinary) => {
    if (isBinary) seen.bytes = data.length
  })
  const isOver = () => seen.bytes > 0 || seen.isClosed
  while (!isOver()) {
    client.pause()
    // The worker looks once a second.
    await delay(400)
    client.resume()
    await delay(1)
  }
  expect(seen).toEqual({ bytes: LARGE_BYTES, isClosed: false })
  client.terminate()
})

test('a client that does not read is disconnected', async () => {
  await start({ SLOW_CLIENT_MS: '200' })
  const client = await ask()
  client.pause()
  await rookery.untilLog('closed a connection that does not read')
  const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
  expect(metrics).toMatch(/^rookery_slow_connections_closed_total\{reason="stalled"[^}]*\} 1$/m)
  client.terminate()
})
