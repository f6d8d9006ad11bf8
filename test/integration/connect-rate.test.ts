import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
let webSocket: WebSocket

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '1' } })
  webSocket = new WebSocket(`${rookery.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  await once(webSocket, 'open')
})

afterAll(async () => {
  webSocket.close()
  await rookery.stop()
})

test('a connection that sends a thousand CONNECT requests is ignored above a limit', async () => {
  let refused = 0
  let answers = 0
  webSocket.on('message', (data: Buffer) => {
    const packet = data.toString()
    if (packet.startsWith('40') || packet.startsWith('44')) answers += 1
    if (packet.startsWith('44') && packet.includes('rate_limited')) refused += 1
  })
  for (let index = 0; index < 1_000; index += 1) webSocket.send('40{"name":""}')
  await until(
    () => refused >= 850,
    'the requests are refused',
    () => `${refused} of ${answers} answers`,
  )
  const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
  expect(metrics).toMatch(/rookery_connects_refused_total [89]\d\d\n/)
})
