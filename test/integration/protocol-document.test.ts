/**
 * The example of docs/protocol.md, run unchanged: a stock client that loses its connection, or is slow, shows
 * each message once and in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { metricSum } from '../harness/cluster/metric-sum.ts'
import { HISTORY_SETTINGS, publish } from '../harness/page/history.ts'
import { until } from '../harness/until.ts'

const TEXT_MAX_CHARS = 20_000
const LARGE = 'x'.repeat(TEXT_MAX_CHARS)
/** Messages of one flood, and floods: together more than the buffers of the system hold. */
const FLOOD = 50
const FLOODS_MAX = 100
/** A client that is slow stays connected. */
const SLOW_CLIENTS = {
  TEXT_MAX_CHARS: String(TEXT_MAX_CHARS),
  MAX_PACKET_BYTES: '250000',
  SLOW_CLIENT_MS: '600000',
}

const ROOT = new URL('../..', import.meta.url).pathname

let rookery: RunningRookery
let directory: string
const programs: ChildProcess[] = []

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '2', ...SLOW_CLIENTS, ...HISTORY_SETTINGS } })
  await mkdir(join(ROOT, 'test-output'), { recursive: true })
  directory = await mkdtemp(join(ROOT, 'test-output', 'protocol-document-'))
})
afterAll(async () => {
  for (const program of programs)
    if (program.exitCode === null && program.kill('SIGKILL')) await once(program, 'exit')
  await rm(directory, { recursive: true, force: true })
  expect(await rookery.stop()).toBe(0)
})

/** What the example leaves to its reader, and a way to lose its connection. */
const around = (url: string, example: string) => `
import { io } from 'socket.io-client'
const socket = io('${url}', { auth: { name: 'Ann' }, transports: ['websocket'] })
process.on('SIGUSR2', () => socket.io.engine.close())
${example}
`

const say = (name: string, count: number) =>
  publish(
    rookery.url,
    'lobby',
    Array.from({ length: count }, (_, index) => ({
      from: { id: name.toLowerCase(), name },
      text: `${index + 1}`,
    })),
  )

interface Example {
  program: ChildProcess
  shown: string[]
  failures: string[]
}

async function startExample(): Promise<Example> {
  const document = await readFile(join(ROOT, 'docs', 'protocol.md'), 'utf8')
  const [, example = ''] = /```js\n([\s\S]*?)```/.exec(document) ?? []
  await writeFile(join(directory, 'client.mjs'), around(rookery.url, example))
  const program = spawn(process.execPath, ['client.mjs'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  programs.push(program)
  const shown: string[] = []
  const failures: string[] = []
  createInterface({ input: program.stdout }).on('line', (line) => shown.push(line))
  createInterface({ input: program.stderr }).on('line', (line) => failures.push(line))
  return { program, shown, failures }
}

const numbersOf = ({ shown }: Example) => shown.map((line) => Number.parseInt(line, 10))
const explain = ({ shown, failures }: Example) => [...failures, shown.at(-1)?.slice(0, 80)].join('\n')

it('shows each message once and in order, also hundreds that arrived while it was disconnected', async () => {
  await say('Ada', 10)
  const example = await startExample()
  await until(
    () => example.shown.length === 10,
    'the client shows the earlier messages',
    () => explain(example),
  )
  example.program.kill('SIGUSR2')
  await say('Grace', 300)
  await say('Edsger', 20)
  await until(
    () => example.shown.at(-1) === '330 Edsger 20',
    'the client shows the last message',
    () => explain(example),
  )
  expect(numbersOf(example)).toEqual(Array.from({ length: 330 }, (_, index) => index + 1))
})

it('shows the messages that it was too slow for', async () => {
  await say('Barbara', 1)
  const example = await startExample()
  await until(
    () => example.shown.length > 0,
    'the client shows the earlier messages',
    () => explain(example),
  )
  example.program.kill('SIGSTOP')
  let head = 0
  for (let n = 0; (await metric('rookery_chat_slow_members')) === 0; n += 1) {
    if (n === FLOODS_MAX) throw new Error('the client never became slow')
    head = await flood(`flood-${n}`)
  }
  head = await flood('last')
  example.program.kill('SIGCONT')
  await until(
    () => numbersOf(example).at(-1) === head,
    'the client shows the last message',
    () => explain(example),
  )
  expect(await metric('rookery_chat_gaps_total')).toBeGreaterThan(0)
  const [first = 0] = numbersOf(example)
  expect(numbersOf(example)).toEqual(Array.from({ length: head - first + 1 }, (_, index) => first + index))
})

const metric = (name: string) => metricSum(rookery.adminUrl, name)

/** Large messages, all at the same time, so that they share commits. @returns the number of the last one */
async function flood(name: string): Promise<number> {
  const sends = Array.from({ length: FLOOD }, async (_, index) => {
    const answer = await fetch(`${rookery.url}/api/rooms/lobby/messages`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${HISTORY_SETTINGS.API_KEY}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ id: `${name}-${index}`, text: LARGE, from: { id: name, name } }),
    })
    expect(answer.status).toBe(200)
    return ((await answer.json()) as { seq: number }).seq
  })
  return Math.max(...(await Promise.all(sends)))
}
