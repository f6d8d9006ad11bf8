/** A packet that is longer than the server takes: the application hears of it, over both transports. */
import { createServer, type Server as HttpServer } from 'node:http'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { watchOversizedPackets } from '../../src/worker/connections/oversized-packets.ts'
import { listenPort } from '../harness/network/listen-port.ts'

const MAX_BYTES = 65_536

let httpServer: HttpServer
let server: Server
let registry: Registry
let lines: string[]
let url = ''

beforeEach(async () => {
  httpServer = createServer()
  // Nothing here may end by a lost heartbeat.
  server = new Server(httpServer, { maxHttpBufferSize: MAX_BYTES, pingTimeout: 600_000 })
  registry = new Registry()
  lines = []
  const logger = pino({ level: 'warn' }, { write: (line) => lines.push(line) })
  watchOversizedPackets(httpServer, server, { maxBytes: MAX_BYTES, logger, registry })
  url = `http://127.0.0.1:${await listenPort(httpServer)}`
})

afterEach(() => server.close())

/** @returns what the application got, and how the connection ended on the server */
async function send(transport: 'polling' | 'websocket', bytes: number): Promise<unknown[]> {
  const client = connect(url, { transports: [transport], forceNew: true, reconnection: false })
  try {
    return await new Promise((resolve) => {
      server.on('connection', (socket) => {
        socket.on('bytes', (data: Buffer) => resolve(['got', data.length]))
        socket.on('disconnect', (reason, error) => resolve([reason, String(error)]))
        client.emit('bytes', Buffer.alloc(bytes))
      })
    })
  } finally {
    client.disconnect()
  }
}

const refused = async () =>
  (await registry.getSingleMetric('rookery_oversized_packets_total')?.get())?.values[0]?.value

it.each([
  { transport: 'polling' as const, allowed: 48_000, refusedBytes: 50_000 },
  { transport: 'websocket' as const, allowed: 65_000, refusedBytes: 66_000 },
])('over $transport', async ({ transport, allowed, refusedBytes }) => {
  expect(await send(transport, allowed)).toEqual(['got', allowed])
  server.removeAllListeners('connection')
  expect(await send(transport, refusedBytes)).toEqual([
    'transport error',
    expect.stringContaining('Max payload size exceeded'),
  ])
  expect(await refused()).toBe(1)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('MAX_PACKET_BYTES')
})
