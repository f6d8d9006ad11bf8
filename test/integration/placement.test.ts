/** Clients of one document are on one worker, through the port, also after a worker's death and a reload. */
import { io } from 'socket.io-client'
import { expect, onTestFinished, test } from 'vitest'
import { startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const APP = new URL('../fixtures/apps/placement.js', import.meta.url).pathname
const DOCS = Array.from({ length: 8 }, (_, index) => `doc ${index}`)

test('handshakes with the same key get the same worker, and its successor when it is gone', async () => {
  const rookery = await startRookery({ args: ['--app', APP], env: { DRAIN_MS: '300' } })
  onTestFinished(() => rookery.kill())

  /** The worker of each client, by document. */
  const workers = new Map<string, (string | undefined)[]>(DOCS.map((doc) => [doc, []]))
  for (const [doc, ofDoc] of workers) {
    for (const [index, transports] of [['polling'], ['websocket'], ['polling', 'websocket']].entries()) {
      const socket = io(rookery.url, {
        query: { doc },
        transports,
        forceNew: true,
        reconnectionDelayMax: 500,
      })
      onTestFinished(() => void socket.close())
      socket.on('worker', (worker: string) => {
        ofDoc[index] = worker
      })
    }
  }
  /** Resolves with the worker of each document. */
  const settled = async (isNew: (worker: string) => boolean) => {
    const all = () => [...workers.values()].flat()
    await until(
      () => all().length === 3 * DOCS.length && all().every((one) => one !== undefined && isNew(one)),
      'all clients have connected',
      () => JSON.stringify([...workers]),
    )
    for (const ofDoc of workers.values()) expect(new Set(ofDoc).size).toBe(1)
    return new Map([...workers].map(([doc, [worker = '']]) => [doc, worker]))
  }

  const before = await settled(() => true)
  expect(new Set(before.values())).toEqual(new Set(['w1', 'w2']))

  rookery.killWorker(rookery.workerNames().indexOf('w1'))
  const after = await settled((worker) => worker !== 'w1')
  // The successor takes over all of its documents, and nothing of the other.
  const expected = [...before].map(([doc, worker]) => [doc, worker === 'w1' ? 'w3' : 'w2'])
  expect([...after]).toEqual(expected)

  rookery.signal('SIGHUP')
  await rookery.untilLog('reload done')
  const last = await settled((worker) => worker !== 'w2' && worker !== 'w3')
  const moved = new Map([...after].map(([doc, worker]) => [worker, last.get(doc)]))
  expect(new Set(moved.values()).size).toBe(2)
  expect([...last]).toEqual([...after].map(([doc, worker]) => [doc, moved.get(worker)]))
  expect(await rookery.stop()).toBe(0)
})

test('without a key, and with one, connections are served side by side', async () => {
  const rookery = await startRookery({ args: ['--app', APP] })
  onTestFinished(() => rookery.kill())
  const found: string[] = []
  for (const query of [{}, { doc: 'a' }, {}, { doc: 'a' }, {}, {}]) {
    const socket = io(rookery.url, { query, transports: ['websocket'], forceNew: true })
    onTestFinished(() => void socket.close())
    found.push(await new Promise<string>((resolve) => socket.once('worker', resolve)))
  }
  expect(found[1]).toBe(found[3])
  // Those without a key are spread by load.
  expect(new Set(found)).toEqual(new Set(['w1', 'w2']))
})

test('a wrong placement is refused with advice', async () => {
  const app = new URL('../fixtures/apps/placement-wrong.js', import.meta.url).pathname
  const rookery = await startRookery({ args: ['--app', app], env: { WORKERS: '1' }, untilReady: false })
  onTestFinished(() => rookery.kill())
  await rookery.untilLog('the application could not be started')
  expect(rookery.log('the application could not be started')).toMatchObject({
    err: { message: expect.stringContaining("placement: it is { query: 'name' }") },
  })
})
