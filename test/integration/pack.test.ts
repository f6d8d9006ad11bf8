/** The package as users get it: packed, installed into an empty project, run by its name. */
import { type ChildProcess, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainEnvironment, run } from '../harness/command.ts'
import { otherNodes } from '../harness/node-versions.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const FIXTURES = new URL('../fixtures/pack/', import.meta.url).pathname
const WORKERS = 3

let project: string
let packed: string[]

/** npm, with the registry and the certificates of this machine. */
async function npm(args: readonly string[], cwd: string): Promise<string> {
  const kept =
    /^(npm_config_(registry|cafile|userconfig|globalconfig|cache)|https?_proxy|no_proxy|node_extra_ca_certs)$/i
  const set = Object.entries(process.env).filter(([name]) => kept.test(name))
  const env = Object.fromEntries(set.map(([name, value]) => [name, value ?? '']))
  const { code, stdout, stderr } = await run('npm', args, { cwd, env })
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}:\n${stderr}`)
  return stdout
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'rookery-pack-'))
  const [tarball] = JSON.parse(
    await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', project], ROOT),
  ) as { filename: string; files: { path: string }[] }[]
  packed = tarball?.files.map((file) => file.path) ?? []
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  await npm(['install', '--no-audit', '--no-fund', join(project, tarball?.filename ?? '')], project)
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
        'templates/gitignore',
        'templates/ts/test/app.test.ts',
      ]),
    )
    expect(packed.filter((path) => /^(test|data|loadtest\/results|node_modules)\//.test(path))).toEqual([])
  })

  it('contains the load test, which runs from where it is installed', async () => {
    const flags = [
      '--target',
      'one-process',
      '--dialect',
      'bench',
      '--clients',
      '4',
      '--duration',
      '1',
      '--json',
    ]
    const result = await run('npx', ['rookery-loadtest', 'run', 'small-rooms', ...flags], { cwd: project })
    // On a busy machine a run may be invalid (3), but never have another error.
    expect([0, 3]).toContain(result.code)
    const { verdict } = JSON.parse(result.stdout) as { verdict: { ok: boolean; delivered: number } }
    expect(verdict.ok).toBe(true)
    expect(verdict.delivered).toBeGreaterThan(0)
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

/** Below the project, where its packages are found. */
describe('an application that init wrote', () => {
  const typed = otherNodes.find(({ major }) => major >= 24)?.path

  it('passes its test', async () => {
    const init = await run('npx', ['rookery', 'init', 'plain', '--js'], { cwd: project })
    expect([init.code, init.stderr]).toEqual([0, ''])
    expect(await npm(['test'], join(project, 'plain'))).toMatch(/pass 1\b/)
  })

  it.runIf(typed !== undefined)('passes its test in TypeScript, and its types are right', async () => {
    const main = join(project, 'node_modules/rookery/dist/main.js')
    const init = await run(typed ?? '', [main, 'init', 'typed'], { cwd: project })
    expect([init.code, init.stderr]).toEqual([0, ''])
    const directory = join(project, 'typed')
    const { code, stdout } = await run(typed ?? '', ['--test'], { cwd: directory })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/pass 1\b/)])
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
    const types = join(ROOT, 'node_modules', '@types')
    const checked = await run(tsc, ['--typeRoots', types, '-p', '.'], { cwd: directory })
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
