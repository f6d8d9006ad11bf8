/** `rookery log export` and `rookery log import`, used to move a chat from one host to Redis and back. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { rookery } from '../harness/command.ts'
import { freePort } from '../harness/network/free-port.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'

const texts = ['first', 'naïve \u2028 👩‍👩‍👧', 'third']

let redis: TestRedis
let running: RunningRookery
let directory: string
let file: string
beforeAll(async () => {
  redis = await startRedis()
  running = await startRookery()
  directory = await mkdtemp(join(tmpdir(), 'rookery-export-'))
  file = join(directory, 'rooms.ndjson')
  const ann = await ChatClient.guest(running.url, 'Ann')
  await ann.ask('room:join', { room: 'den' })
  for (const [n, text] of texts.entries()) await ann.ask('message:send', { room: 'den', id: `m${n}`, text })
  ann.close()
})
afterAll(async () => {
  await running.stop()
  await redis.stop()
  await rm(directory, { recursive: true })
})

const inRedis = (cluster: string) => ({ env: { REDIS_URL: redis.url, CLUSTER_NAME: cluster } })
const entriesOf = (lines: string) =>
  lines
    .split('\n')
    .filter((line) => line.startsWith('{"type":"entry"'))
    .map((line) => JSON.parse(line))

it('copies the log of a running host to Redis, and from there into an empty data directory', async () => {
  const out = await rookery(['log', 'export', '--data-dir', running.dataDir, '--out', file, '--json'])
  expect(out.code, out.stderr).toBe(0)
  expect(JSON.parse(out.stdout)).toEqual({ rooms: 1, entries: 3, users: 1 })
  expect((await stat(file)).mode & 0o077).toBe(0)
  const exported = await readFile(file, 'utf8')
  expect(entriesOf(exported).map(({ text }) => text)).toEqual(texts)

  const into = await rookery(['log', 'import', file, '--json'], inRedis('one'))
  expect(into.code, into.stderr).toBe(0)
  expect(JSON.parse(into.stdout)).toEqual({ rooms: 1, entries: 3, users: 1, skipped: 0 })
  const back = await rookery(['log', 'export'], inRedis('one'))
  expect(back.code, back.stderr).toBe(0)
  expect(entriesOf(back.stdout)).toEqual(entriesOf(exported))
  expect(back.stderr).toContain('3 entries of 1 room,')
  expect(entriesOf((await rookery(['log', 'export'], inRedis('other'))).stdout)).toEqual([])

  const again = join(directory, 'again.ndjson')
  await writeFile(again, back.stdout)
  const dataDir = join(directory, 'data')
  const last = await rookery(['log', 'import', again, '--data-dir', dataDir])
  expect(last.code, last.stderr).toBe(0)
  const moved = await startRookery({ env: { DATA_DIR: dataDir } })
  try {
    const ann = await ChatClient.guest(moved.url, 'Ann')
    const { epoch } = JSON.parse(exported.split('\n')[1] ?? '')
    const joined = await ann.ask('room:join', { room: 'den', after: 1, epoch })
    expect(joined).toMatchObject({ reset: false, epoch, head: 3 })
    expect(joined).toMatchObject({ messages: texts.slice(1).map((text) => ({ text })) })
    ann.close()
  } finally {
    await moved.stop()
  }
})

it('keeps rooms that already exist, and names them', async () => {
  await rookery(['log', 'export', '--data-dir', running.dataDir, '--out', file])
  await rookery(['log', 'import', file], inRedis('twice'))
  const again = await rookery(['log', 'import', file, '--json'], inRedis('twice'))
  expect(again.code).toBe(exitCodes.roomsLeftOut.code)
  expect(JSON.parse(again.stdout)).toMatchObject({ rooms: 0, entries: 0, skipped: 1 })
  expect(again.stderr).toMatch(/entries already: den/)
})

it('reports errors in the file, the data directory, or Redis', async () => {
  const bad = join(directory, 'bad.ndjson')
  await writeFile(bad, '{"type":"header"}\n')
  const wrong = await rookery(['log', 'import', bad], inRedis('bad'))
  expect([wrong.code, wrong.stderr]).toEqual([
    exitCodes.badExport.code,
    expect.stringContaining('line 1: format'),
  ])
  const missing = await rookery(['log', 'import', join(directory, 'none')], inRedis('bad'))
  expect([missing.code, missing.stderr]).toEqual([
    exitCodes.badExport.code,
    expect.stringContaining('ENOENT'),
  ])
  const used = await rookery(['log', 'import', bad, '--data-dir', running.dataDir])
  expect([used.code, used.stderr]).toEqual([
    exitCodes.dataDirectory.code,
    expect.stringContaining(`stop the Rookery with pid ${running.pid}`),
  ])
  const empty = await rookery(['log', 'export', '--data-dir', join(directory, 'empty')])
  expect([empty.code, empty.stdout]).toEqual([exitCodes.dataDirectory.code, ''])
  const away = await rookery(['log', 'export', '--redis-url', `redis://127.0.0.1:${await freePort()}`])
  expect([away.code, away.stderr]).toEqual([1, expect.stringContaining("Redis can't be reached")])
})
