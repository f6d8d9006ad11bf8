/** The example of docs/protocol.md, run unchanged: a stock client that loses its connection shows each message once and in order. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { HISTORY_SETTINGS, publish } from '../harness/page/history.ts'
import { until } from '../harness/until.ts'

const ROOT = new URL('../..', import.meta.url).pathname

let rookery: RunningRookery
let directory: string
let client: ChildProcess | undefined

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '2', ...HISTORY_SETTINGS } })
  await mkdir(join(ROOT, 'test-output'), { recursive: true })
  directory = await mkdtemp(join(ROOT, 'test-output', 'protocol-document-'))
})
afterAll(async () => {
  if (client !== undefined && client.exitCode === null && client.kill()) await once(client, 'exit')
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

it('shows each message once and in order, also those of hundreds that came while it was away', async () => {
  const document = await readFile(join(ROOT, 'docs', 'protocol.md'), 'utf8')
  const [, example = ''] = /```js\n([\s\S]*?)```/.exec(document) ?? []
  await writeFile(join(directory, 'client.mjs'), around(rookery.url, example))
  await say('Ada', 10)
  const program = spawn(process.execPath, ['client.mjs'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  client = program
  const shown: string[] = []
  const failures: string[] = []
  createInterface({ input: program.stdout }).on('line', (line) => shown.push(line))
  createInterface({ input: program.stderr }).on('line', (line) => failures.push(line))
  await until(
    () => shown.length === 10,
    'it shows what was said before',
    () => failures.join('\n'),
  )
  program.kill('SIGUSR2')
  await say('Grace', 300)
  await say('Edsger', 20)
  await until(
    () => shown.at(-1) === '330 Edsger 20',
    'it shows the last',
    () => [...failures, shown.at(-1)].join('\n'),
  )
  expect(shown.map((line) => Number.parseInt(line, 10))).toEqual(
    Array.from({ length: 330 }, (_, index) => index + 1),
  )
})
