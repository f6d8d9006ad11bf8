/** A new CLUSTER_SECRET, as docs/deploy.md says: the history stays, and what can't be verified is not exported. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { digestOf } from '../../src/log/digest.ts'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { ChatClient } from '../harness/client/chat-client.ts'
import { startRookery } from '../harness/cluster/cluster.ts'
import { rookery } from '../harness/command.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'

const [BEFORE, AFTER] = ['the secret before', 'the secret after'].map((name) => name.padEnd(32, '.')) as [
  string,
  string,
]

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const settings = (secrets: Record<string, string>) => ({ REDIS_URL: redis.url, ...secrets })
const command = (args: string[], secrets: Record<string, string>) => rookery(args, { env: settings(secrets) })

async function clientAt(secrets: Record<string, string>): Promise<ChatClient> {
  const host = await startRookery({ env: { ...settings(secrets), WORKERS: '1' } })
  onTestFinished(async () => void (await host.stop()))
  const client = await ChatClient.guest(host.url, 'Ann')
  onTestFinished(() => client.close())
  return client
}

const textsOf = (messages: unknown) => (messages as { text?: string }[]).map(({ text }) => text)
const exported = (file: string) =>
  file.split('\n').flatMap((line) => (line.startsWith('{"type":"entry"') ? [JSON.parse(line)] : []))

it('a changed secret hides nothing, and messages of the former one are never exported as removed', async () => {
  const ann = await clientAt({ CLUSTER_SECRET: BEFORE })
  await ann.ask('room:join', { room: 'den' })
  for (const text of ['one', 'two']) await ann.ask('message:send', { room: 'den', id: text, text })

  const hidden = await command(['log', 'export'], { CLUSTER_SECRET: AFTER })
  expect(hidden.code).toBe(exitCodes.unreadableEntries.code)
  expect(hidden.stderr).toMatch(/entry 1 of room den is forged.*CLUSTER_SECRET_OLD/)
  const allowed = await command(['log', 'export', '--allow-unreadable'], { CLUSTER_SECRET: AFTER })
  expect(exported(allowed.stdout).map(({ kind }) => kind)).toEqual(['unreadable', 'unreadable'])
  const both = { CLUSTER_SECRET: AFTER, CLUSTER_SECRET_OLD: BEFORE }
  const whole = exported((await command(['log', 'export'], both)).stdout)
  expect(textsOf(whole)).toEqual(['one', 'two'])

  // Step 3 of the change: both secrets are known.
  const signed = await command(['log', 'sign', '--json'], {
    CLUSTER_SECRET: AFTER,
    CLUSTER_SECRET_OTHER: BEFORE,
  })
  expect([signed.code, JSON.parse(signed.stdout)]).toEqual([
    0,
    { rooms: 1, entries: 2, signed: 2, unreadable: 0 },
  ])
  expect(exported((await command(['log', 'export'], { CLUSTER_SECRET: AFTER })).stdout)).toEqual(whole)
  const later = await clientAt({ CLUSTER_SECRET: AFTER })
  const joined = await later.ask('room:join', { room: 'den' })
  expect(textsOf(joined['messages'])).toEqual(['one', 'two'])
})

it('a first secret takes what was stored without one after it was signed', async () => {
  const cluster = { CLUSTER_NAME: 'first' }
  const from = { id: 'ann', name: 'Ann' }
  const entry = { type: 'entry', seq: 1, id: 'm1', kind: 'text', from, text: 'hello', at: 1, texts: 1 }
  const room = { type: 'room', room: 'den', epoch: 'e', head: 1, first: 1, at: 1, texts: 1, trimmedTexts: 0 }
  const lines = [
    {
      type: 'header',
      format: 'rookery-log',
      version: 1,
      exportedAt: '2026-01-01T00:00:00.000Z',
      cluster: 'x',
    },
    room,
    { ...entry, digest: digestOf({ kind: 'text', text: 'hello' }) },
    { type: 'end', rooms: 1, entries: 1, users: 0 },
  ]
  const file = join(redis.directory, 'first.ndjson')
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  expect((await command(['log', 'import', file], cluster)).code).toBe(0)

  const secret = { ...cluster, CLUSTER_SECRET: AFTER }
  const hidden = await command(['log', 'export'], secret)
  expect([hidden.code, hidden.stderr]).toEqual([
    exitCodes.unreadableEntries.code,
    expect.stringContaining('log sign --unsigned'),
  ])
  const careful = await command(['log', 'sign'], secret)
  expect([careful.code, careful.stderr]).toEqual([
    exitCodes.unreadableEntries.code,
    expect.stringContaining('in the rooms den'),
  ])
  expect((await command(['log', 'sign', '--unsigned'], secret)).code).toBe(0)
  expect(textsOf(exported((await command(['log', 'export'], secret)).stdout))).toEqual(['hello'])
})

it('without a secret or Redis there is nothing to sign', async () => {
  const answer = await command(['log', 'sign'], {})
  expect([answer.code, answer.stderr]).toEqual([
    exitCodes.configuration.code,
    expect.stringContaining('CLUSTER_SECRET'),
  ])
})
