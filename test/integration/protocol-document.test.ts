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
import { HISTORY_SETTINGS, publish } from '../harness/page/history.ts'
import { until } from '../harness/until.ts'

/** Messages in one burst, and bursts: together they exceed the system's buffers. */
const FLOOD = 250
const FLOODS_MAX = 100

const ROOT = new URL('../..', import.meta.url).pathname

let rookery: RunningRookery
let directory: string
const programs: ChildProcess[] = []

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '2', SLOW_CLIENT_BYTES: '65536', ...HISTORY_SETTINGS } })
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
  const long = 'x'.repeat(4_000)
  let head = 0
  for (let n = 0; (await metric('rookery_chat_slow_members')) === 0; n += 1) {
    if (n === FLOODS_MAX) throw new Error('the client never became slow')
    head = await flood(`Flood${n}`, long)
  }
  head = await flood('Last', long)
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

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** @returns the number of the last message */
async function flood(name: string, text: string): Promise<number> {
  const from = { id: name.toLowerCase(), name }
  await publish(
    rookery.url,
    'lobby',
    Array.from({ length: FLOOD }, () => ({ from, text })),
  )
  const answer = await fetch(`${rookery.url}/api/rooms/lobby/messages?limit=1`, {
    headers: { authorization: `Bearer ${HISTORY_SETTINGS.API_KEY}` },
  })
  return ((await answer.json()) as { head: number }).head
}
