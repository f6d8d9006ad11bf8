/**
 * A host dies while another waits for its answers, with default settings: its death is detected before the
 * time-out, so the answers of the others arrive and no error.
 */
import { io, type Socket } from 'socket.io-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LoopbackHosts } from '../harness/cluster/loopback-hosts.ts'
import { metricSum } from '../harness/cluster/metric-sum.ts'
import { until } from '../harness/until.ts'

const QUESTIONS = ['sockets', 'servers', 'clients'] as const

let hosts: LoopbackHosts
let asking: Socket
let other: Socket

beforeEach(async () => {
  hosts = await LoopbackHosts.start({
    hosts: 3,
    workersPerHost: 1,
    args: ['--app', 'test/fixtures/apps/requests.js'],
  })
  asking = await connect(0)
  other = await connect(1)
  await connect(2)
})

const clients: Socket[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  await hosts?.stop()
})

async function connect(host: number): Promise<Socket> {
  const client = io(hosts.at(host).url, { transports: ['websocket'], forceNew: true, reconnection: false })
  clients.push(client)
  client.on('who', (answer: (name: string) => void) => answer(`a client of rookery-${host + 1}`))
  await new Promise<void>((resolve) => client.once('connect', () => resolve()))
  return client
}

const metric = (host: number, name: string) => metricSum(hosts.at(host).adminUrl, name)

const askAll = () => Promise.all(QUESTIONS.map((what) => asking.emitWithAck('ask', what)))

/** Answers of the asking host and of the surviving one only. */
async function expectOfTwo(answers: Promise<{ value?: string[]; error?: string }[]>): Promise<void> {
  const found = (await answers).map(({ value, error }) => error ?? value?.toSorted())
  expect(found).toEqual([
    ['rookery-1', 'rookery-2'],
    ['rookery-2'],
    ['a client of rookery-1', 'a client of rookery-2'],
  ])
  expect(other.connected).toBe(true)
}

test('a host dies before it has reported which workers it asked', async () => {
  const victim = hosts.at(2)
  victim.signal('SIGSTOP')
  const asked = askAll()
  await until(async () => (await metric(0, 'rookery_relay_open_receipts')) === 3, 'all three requests wait')
  await victim.kill()
  await expectOfTwo(asked)
})

test('a host dies after it has asked its workers', async () => {
  const victim = hosts.at(2)
  const workers = victim.workerPids()
  const passed = await metric(2, 'rookery_relay_passed_total')
  for (const pid of workers) process.kill(pid, 'SIGSTOP')
  const asked = askAll()
  await until(
    async () => (await metric(2, 'rookery_relay_passed_total')) >= passed + 3,
    'its worker has received all three requests',
  )
  await victim.kill()
  for (const pid of workers) process.kill(pid, 'SIGCONT')
  await expectOfTwo(asked)
})
