/** The ids of a worker's sockets: they name the worker from the start, and sockets that have left are freed. */
import { createServer, type Server as HttpServer } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Server, type Socket as ServerSocket } from 'socket.io'
import { io as connect } from 'socket.io-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createHostTag, socketOwnerOf, workerTag } from '../../src/core/session-id.ts'
import { tagSocketIds } from '../../src/worker/connections/socket-ids.ts'
import { listenPort } from '../harness/network/listen-port.ts'
import { until } from '../harness/until.ts'

const TAG = workerTag(createHostTag(), 1)
const COMINGS = 10

let httpServer: HttpServer
let server: Server
let url = ''

beforeEach(async () => {
  httpServer = createServer()
  server = new Server(httpServer)
  tagSocketIds(server, TAG)
  url = `http://127.0.0.1:${await listenPort(httpServer)}`
})

afterEach(() => server.close())

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
}

/** Each client connects when the one before has disconnected. */
async function comeAndGo(namespace: string): Promise<{ ids: string[]; traces: WeakRef<ServerSocket>[] }> {
  const ids: string[] = []
  const traces: WeakRef<ServerSocket>[] = []
  let left = 0
  server.of(namespace).on('connection', (socket) => {
    ids.push(socket.id)
    traces.push(new WeakRef(socket))
    socket.on('disconnect', () => (left += 1))
  })
  for (let coming = 1; coming <= COMINGS; coming += 1) {
    const client = connect(`${url}${namespace}`, { transports: ['websocket'], forceNew: true })
    await until(() => ids.length === coming && client.connected, 'the client is connected')
    expect(client.id).toBe(ids.at(-1))
    client.disconnect()
    await until(() => left === coming, 'the client is disconnected')
  }
  return { ids, traces }
}

it.each(['/', '/other'])(
  'in %s each id names its worker, and sockets that have left are freed',
  async (namespace) => {
    const { ids, traces } = await comeAndGo(namespace)
    expect(ids.map(socketOwnerOf)).toEqual(Array.from({ length: COMINGS }, () => TAG))
    await until(
      async () => {
        await turn()
        collectGarbage()
        // The last operation may still hold one socket.
        return traces.filter((trace) => trace.deref() !== undefined).length <= 1
      },
      'all sockets but the last are freed',
      () => `${traces.filter((trace) => trace.deref() !== undefined).length} of ${COMINGS} are there`,
    )
  },
)

it('is named before a middleware of the application sees it', async () => {
  let seen = ''
  server.use((socket, next) => {
    seen = socket.id
    next()
  })
  const { ids } = await comeAndGo('/')
  expect(seen).toBe(ids.at(-1))
})
