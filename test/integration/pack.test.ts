/** The package as users get it: packed, installed into an empty project, run by its name. */
import { type ChildProcess, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainEnvironment, run } from '../harness/command.ts'
import { otherNodes } from '../harness/node-versions.ts'
import { emptyProject, npm, pack } from '../harness/package-managers.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const FIXTURES = new URL('../fixtures/pack/', import.meta.url).pathname
const WORKERS = 3

let project: string
let packed: readonly string[]

beforeAll(async () => {
  project = await emptyProject()
  const { tarball, files } = await pack(project)
  packed = files
  await npm(['install', '--no-audit', '--no-fund', tarball], project)
  await cp(FIXTURES, project, { recursive: true })
}, 300_000)

afterAll(() => rm(project, { recursive: true, force: true }))

describe('the package', () => {
  it('contains everything to run and read, and neither tests nor data', () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        'dist/main.js',
        'dist/index.d.ts',
        'ecosystem.config.js',
        'README.md',
        'LICENSE',
        'docs/operations.md',
        'docs/settings.md',
        'loadtest/README.md',
        'loadtest/apps/bench.js',
        'examples/template/gitignore',
        'examples/template/ts/test/app.test.ts',
      ]),
    )
    expect(packed.filter((path) => /^(test|data|loadtest\/results|node_modules)\//.test(path))).toEqual([])
  })

  it('brings few packages', async () => {
    const lock = await readFile(join(project, 'node_modules/.package-lock.json'), 'utf8')
    const { packages } = JSON.parse(lock) as { packages: Record<string, unknown> }
    // 90 in December 2026; the load test's would be 62 more.
    expect(Object.keys(packages).length).toBeLessThan(120)
    expect(packed.filter((path) => /^dist\/tools\/.*\.map$/.test(path))).toEqual([])
  })

  it('contains the load test without its packages, which it names', async () => {
    const installed = await readdir(join(project, 'node_modules'))
    const own = ['autocannon', 'hdr-histogram-js', 'pure-rand', 'uplot']
    expect(installed.filter((name) => own.includes(name))).toEqual([])
    const result = await run('npx', ['rookery-loadtest', 'run', 'small-rooms'], { cwd: project })
    expect(result.code).toBe(3)
    expect(result.stderr).toBe(
      'rookery-loadtest: the load test needs packages that a server does without: npm install --save-dev autocannon@9 hdr-histogram-js@3 pure-rand@8 uplot@1\n',
    )
    const help = await run('npx', ['rookery-loadtest', '--help'], { cwd: project })
    expect(help.code).toBe(0)
  })

  it('provides types to an application and its tests', async () => {
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023']
    const types = ['--typeRoots', join(ROOT, 'node_modules', '@types'), '--types', 'node']
    const files = ['typed.ts', 'typed-testing.ts']
    const { code, stdout } = await run(tsc, [...options, ...types, ...files], { cwd: project })
    expect([code, stdout]).toEqual([0, ''])
  })
})

async function init(node: string, ...args: string[]): Promise<void> {
  const main = join(project, 'node_modules/rookery/dist/main.js')
  const { code, stderr } = await run(node, [main, 'init', ...args], { cwd: project })
  expect([code, stderr]).toEqual([0, ''])
}

async function passes(node: string, directory: string): Promise<void> {
  const { code, stdout } = await run(node, ['--test'], { cwd: join(project, directory) })
  expect([code, stdout]).toEqual([0, expect.stringMatching(/pass 1\b/)])
}

/** Below the project, where its packages are found. */
describe('an application that init wrote', () => {
  const modern = otherNodes.filter(({ major }) => major >= 24)
  const [newest] = modern.toReversed()

  it('passes its test', async () => {
    const { code, stderr } = await run('npx', ['rookery', 'init', 'plain', '--js'], { cwd: project })
    expect([code, stderr]).toEqual([0, ''])
    expect(await npm(['test'], join(project, 'plain'))).toMatch(/pass 1\b/)
  })

  it.each(modern)('passes its test on Node $major', async ({ path, major }) => {
    await init(path, `plain-${major}`, '--js')
    await passes(path, `plain-${major}`)
  })

  it.each(modern)('passes its test in TypeScript on Node $major', async ({ path, major }) => {
    await init(path, `typed-${major}`)
    await passes(path, `typed-${major}`)
  })

  it.runIf(newest !== undefined)('has right types', async () => {
    await init(newest?.path ?? '', 'typed')
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
    const types = join(ROOT, 'node_modules', '@types')
    const checked = await run(tsc, ['--typeRoots', types, '-p', '.'], { cwd: join(project, 'typed') })
    expect([checked.code, checked.stdout]).toEqual([0, ''])
  })
})

describe('an application of ten lines', () => {
  let npx: ChildProcess
  /** The pid of Rookery itself: npx forwards no signal. */
  let pid: number
  let url: string
  const clients: Socket[] = []

  beforeAll(async () => {
    const settings = {
      PORT: '0',
      ADMIN_PORT: '0',
      HOST: '127.0.0.1',
      WORKERS: String(WORKERS),
      LOG_FORMAT: 'json',
    }
    npx = spawn('npx', ['rookery', 'start', '--app', './app.js'], {
      cwd: project,
      env: { ...plainEnvironment(), ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ready = await readyLine(npx)
    pid = ready.pid
    url = `http://127.0.0.1:${ready.port}`
  })

  afterAll(async () => {
    for (const client of clients) client.disconnect()
    const left = once(npx, 'exit')
    process.kill(pid, 'SIGTERM')
    expect(await left).toEqual([0, null])
  })

  /** A client, and the worker that serves it. */
  async function connected(): Promise<{ client: Socket; worker: string }> {
    const client = io(url, { forceNew: true })
    clients.push(client)
    const worker = await new Promise<string>((resolve, reject) => {
      client.once('welcome', resolve)
      client.once('connect_error', reject)
    })
    return { client, worker }
  }

  it('runs in every worker, and its rooms span them', async () => {
    const all = await Promise.all(Array.from({ length: 4 * WORKERS }, connected))
    const workers = new Set(all.map(({ worker }) => worker))
    expect(workers.size).toBe(WORKERS)

    const members = all.slice(0, -1)
    const [outsider] = all.slice(-1)
    const heardOutside: string[] = []
    outsider?.client.on('said', (text: string) => heardOutside.push(text))
    await Promise.all(members.map(({ client }) => client.emitWithAck('join', 'room')))
    const heard = members.map(({ client }) => new Promise((resolve) => client.once('said', resolve)))
    outsider?.client.emit('say', 'room', 'hello')
    expect(await Promise.all(heard)).toEqual(members.map(() => 'hello'))

    // A later message on the same connection shows that the room's message did not arrive here.
    await outsider?.client.emitWithAck('join', 'other')
    expect(heardOutside).toEqual([])
  })
})

async function readyLine(rookery: ChildProcess): Promise<{ pid: number; port: number }> {
  if (rookery.stdout === null) throw new Error('it has no output')
  const lines = createInterface({ input: rookery.stdout })
  for await (const [line] of on(lines, 'line', { close: ['close'] })) {
    if (!String(line).startsWith('{')) continue
    const { msg, pid, port } = JSON.parse(String(line))
    if (msg === 'ready') return { pid, port }
  }
  throw new Error('it ended before it was ready')
}
