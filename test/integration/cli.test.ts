import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type ListenOptions } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { explained } from '../../src/cli/start.ts'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { MAIN, rookery, run } from '../harness/command.ts'
import { CpuGroup } from '../harness/faults/cpu-group.ts'
import { SmallDisk } from '../harness/faults/small-disk.ts'

/** Only root can switch to another user. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {}

const SECRET = '0123456789abcdef0123456789abcdef'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-cli-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

describe('the command line', () => {
  it('exits with the documented code for wrong usage, and suggests a correction', async () => {
    const cases: [string[], RegExp][] = [
      [['strat'], /Did you mean start\?/],
      [['start', '--prot', '1'], /Did you mean --port\?/],
      [['start', 'now'], /too many arguments/],
      [['token'], /--sub/],
      [['wait'], /--ready/],
      [['wait', '--ready', '--timeout', '60'], /--timeout 60 is not a time/],
      [['wait', '--ready', '--other-than', 'me'], /--other-than me is not a process id/],
      [['token', '--sub', 'a', '--expires', 'soon'], /--expires soon is not a time/],
      [[], /Usage: rookery/],
    ]
    for (const [args, reason] of cases) {
      const { code, stderr } = await rookery(args, { env: { JWT_SECRET: SECRET } })
      expect(stderr).toMatch(reason)
      expect(code, args.join(' ')).toBe(exitCodes.usage.code)
    }
  })

  it('prints its help and its version', async () => {
    const help = await rookery(['--help'])
    expect(help.code).toBe(0)
    for (const { code, meaning } of Object.values(exitCodes)) {
      expect(help.stdout).toContain(`  ${code}  ${meaning}`)
    }
    const start = await rookery(['start', '--help'])
    expect(start.stdout).toContain('--admin-port')
    expect((await rookery(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('checks the settings without starting anything', async () => {
    const good = await rookery(['config', 'check', '--port', '8080'])
    expect(good).toMatchObject({ code: 0, stderr: '' })

    const bad = await rookery(['config', 'check'], {
      env: { PORT: '3000abc', REDIS_URL: 'redis://a,unix:/b' },
    })
    expect(bad).toMatchObject({ code: exitCodes.configuration.code, stdout: '' })
    expect(bad.stderr).toContain('PORT (environment): "3000abc" is not allowed')
    expect(bad.stderr).toContain('REDIS_URL (environment): nodes of a Redis Cluster are reached over TCP')
  })

  it('prints the settings with source and unit, secrets hidden', async () => {
    const file = join(directory, 'settings.json')
    await writeFile(file, JSON.stringify({ workers: 3 }))
    const options = { env: { AUTH: 'jwt', JWT_SECRET: SECRET, DRAIN_MS: '5000' } }
    const table = await rookery(['config', 'print', '--config', file, '--port', '8080'], options)
    expect(table.stdout).toMatch(/^PORT +8080 +flag$/m)
    expect(table.stdout).toMatch(/^WORKERS +3 +processes +file$/m)
    expect(table.stdout).toMatch(/^DRAIN_MS +5000 +ms +environment$/m)
    expect(table.stdout).toMatch(/^JWT_SECRET +\[hidden\] +environment$/m)
    expect(table.stdout).toMatch(/^API_KEY +- +default$/m)

    const json = await rookery(['config', 'print', '--json'], options)
    const shown: { key: string; value: unknown }[] = JSON.parse(json.stdout)
    expect(shown.find(({ key }) => key === 'drainMs')).toEqual({
      key: 'drainMs',
      environment: 'DRAIN_MS',
      value: 5000,
      unit: 'ms',
      source: 'environment',
    })
    expect(table.stdout + json.stdout).not.toContain(SECRET)
  })

  it('takes as many workers as the CPU quota allows, and says so', async () => {
    const group = await CpuGroup.create(1)
    if (group === undefined) return
    try {
      const [file, ...args] = [...group.within, process.execPath, MAIN, 'config', 'print', '--json']
      const { stdout, stderr } = await run(file, args)
      const shown: { key: string; value: unknown; origin?: string }[] = JSON.parse(stdout || stderr)
      const workers = shown.find(({ key }) => key === 'workers')
      expect(workers).toMatchObject({ value: 1, source: 'default' })
      expect(workers?.origin).toMatch(/a CPU quota of 1 in \/sys\/fs\/cgroup\//)
      const table = await run(file, args.slice(0, -1))
      expect(table.stdout).toMatch(/^WORKERS +1 +processes +default: .* a CPU quota of 1 in /m)
    } finally {
      await group.remove()
    }
  })

  it('creates tokens that can be verified with only the secret', async () => {
    const env = { JWT_SECRET: SECRET, JWT_ISSUER: 'me', JWT_AUDIENCE: 'chat' }
    const { stdout } = await rookery(['token', '--sub', 'alice', '--name', 'Alice', '--expires', '15m'], {
      env,
    })
    const { payload } = await jwtVerify(stdout.trim(), new TextEncoder().encode(SECRET), {
      algorithms: ['HS256'],
      issuer: 'me',
      audience: 'chat',
    })
    expect(payload).toMatchObject({ sub: 'alice', name: 'Alice' })
    expect(Number(payload.exp) - Number(payload.iat)).toBe(15 * 60)

    const without = await rookery(['token', '--sub', 'alice'])
    expect(without.code).toBe(exitCodes.configuration.code)
    expect(without.stderr).toContain('JWT_SECRET')
  })

  it('reports that no host runs', async () => {
    const status = await rookery(['status', '--admin-port', '1'])
    expect(status.code).toBe(exitCodes.notRunning.code)
    const reload = await rookery(['reload', '--data-dir', directory])
    expect(reload.code).toBe(exitCodes.notRunning.code)
    const anyPort = await rookery(['wait', '--ready', '--port', '0'])
    expect([anyPort.code, anyPort.stderr]).toEqual([
      exitCodes.usage.code,
      expect.stringContaining('set PORT'),
    ])
    const wait = await rookery(['wait', '--ready', '--data-dir', directory, '--timeout', '300ms'])
    expect([wait.code, wait.stdout]).toEqual([exitCodes.notReady.code, ''])
    expect(wait.stderr).toContain(`not ready after 300ms: no Rookery runs on DATA_DIR ${directory}`)
  })
})

/** Settings that do not conflict with other processes. */
function quiet() {
  return { PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', WORKERS: '1', DATA_DIR: directory }
}

describe('a start that fails', () => {
  it('for invalid settings or a missing application exits with its code', async () => {
    const settings = await rookery(['start'], { env: { ...quiet(), PORT: 'x' } })
    expect(settings.code).toBe(exitCodes.configuration.code)
    const missing = await rookery(['start', '--app', './nowhere.js'], { env: quiet() })
    expect(missing.code).toBe(exitCodes.configuration.code)
    expect(missing.stderr).toContain('nowhere.js')
  })

  it('for a port in use names the setting and leaves nothing behind', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    try {
      for (const name of ['PORT', 'ADMIN_PORT']) {
        const { code, stderr } = await rookery(['start'], { env: { ...quiet(), [name]: port } })
        expect(code, stderr).toBe(exitCodes.portInUse.code)
        expect(stderr).toContain(`${name} ${port}`)
      }
    } finally {
      other.close()
    }
  })

  it('for a data directory that is not a directory exits with its code', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    const { code, stderr } = await rookery(['start'], { env: { ...quiet(), DATA_DIR: join(file, 'data') } })
    expect(code, stderr).toBe(exitCodes.dataDirectory.code)
  })
})

async function listenError(at: ListenOptions): Promise<unknown> {
  const server = createServer()
  const [error] = await once(server.listen(at), 'error')
  return error
}

describe('the sockets of a host', () => {
  it('lie in the data directory, however long its path is', async () => {
    const long = join(directory, 'x'.repeat(100), 'y'.repeat(100))
    const running = await startRookery({ env: { DATA_DIR: long, WORKERS: '1' } })
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200)
    expect(await running.stop()).toBe(0)
    expect((await readdir(long)).filter((name) => name.endsWith('.sock'))).toEqual([])
  })

  it('lie in TMPDIR when the data directory takes none, and else the start exits with its code', async () => {
    const disk = await SmallDisk.mount(8)
    if (disk === undefined) return
    try {
      await disk.makeReadOnly()
      const open = join(directory, 'open')
      await mkdir(join(open, `rookery-${process.getuid?.()}`), { recursive: true })
      await chmod(join(open, `rookery-${process.getuid?.()}`), 0o755)
      for (const TMPDIR of [open, '/dev/null']) {
        const { code, stderr } = await rookery(['start'], {
          env: { ...quiet(), DATA_DIR: disk.path, TMPDIR },
        })
        expect(code, stderr).toBe(exitCodes.workersSocket.code)
        expect(stderr).toContain(`at ${TMPDIR}/rookery-`)
      }
      const TMPDIR = await mkdtemp(join(directory, 'tmp-'))
      const running = await startRookery({ env: { DATA_DIR: disk.path, TMPDIR }, untilReady: false })
      await running.untilLog('the room log cannot be written')
      const second = await rookery(['start'], { env: { ...quiet(), DATA_DIR: disk.path, TMPDIR } })
      expect(second.code, second.stderr).toBe(exitCodes.dataDirectory.code)
      await running.kill()
    } finally {
      await disk.unmount()
    }
  })

  it('is not mistaken for the port', async () => {
    const settings = { port: 0, host: '203.0.113.1' }
    const socket = explained(await listenError({ path: join(directory, 'nowhere', 'x.sock') }), settings)
    expect(socket).toMatchObject({ reason: 'workersSocket' })
    const port = explained(await listenError({ port: 0, host: settings.host }), settings)
    expect(port).toMatchObject({ reason: 'portInUse' })
  })
})

describe('a running Rookery', () => {
  let running: RunningRookery
  beforeAll(async () => {
    running = await startRookery()
  })
  afterAll(() => running.stop())
  afterEach(() => expect(running.process.exitCode).toBeNull())

  it('keeps a second host off its data directory', async () => {
    const env = { PORT: '0', ADMIN_PORT: '0', DATA_DIR: running.dataDir }
    const second = await rookery(['start'], { env })
    expect(second.code).toBe(exitCodes.dataDirectory.code)
    expect(second.stderr).toContain(String(running.pid))
  })

  it('is shown by `status`, as a table and as JSON', async () => {
    const port = new URL(running.adminUrl).port
    const table = await rookery(['status', '--admin-port', port])
    expect(table.code, table.stderr).toBe(0)
    for (const worker of running.workerNames()) expect(table.stdout).toContain(worker)
    const json = await rookery(['status', '--admin-port', port, '--json'])
    expect(JSON.parse(json.stdout).workers).toHaveLength(2)
  })

  it('makes its files accessible to its user only', async () => {
    for (const file of await readdir(running.dataDir)) {
      expect((await stat(join(running.dataDir, file))).mode & 0o077, file).toBe(0)
    }
  })

  it('refuses another user who asks for a reload, and says what to do', async () => {
    const before = running.workerPids()
    // Process 1 belongs to root; as root, the test sends the request as another user.
    const theirs = await mkdtemp(join(tmpdir(), 'rookery-theirs-'))
    await writeFile(join(theirs, 'rookery.pid'), process.getuid?.() === 0 ? `${running.pid}\n` : '1\n')
    await chmod(theirs, 0o755)
    const { code, stderr } = await rookery(['reload', '--data-dir', theirs], nobody)
    const closed = await rookery(['reload', '--data-dir', running.dataDir], nobody)
    await rm(theirs, { recursive: true })
    expect([code, stderr]).toEqual([exitCodes.notPermitted.code, expect.stringContaining('as that user')])
    if (process.getuid?.() === 0) expect(closed.code, closed.stderr).toBe(exitCodes.notPermitted.code)
    expect(running.workerPids()).toEqual(before)
  })

  it('is found ready by `wait`, and not another process in its place', async () => {
    const ready = (dataDir: string, ...args: string[]) =>
      rookery(['wait', '--ready', '--data-dir', dataDir, '--port', String(running.port), ...args])
    const found = await ready(running.dataDir, '--json')
    expect([found.code, JSON.parse(found.stdout)]).toMatchObject([0, { ready: true, pid: running.pid }])

    const replaced = await ready(running.dataDir, '--other-than', String(running.pid), '--timeout', '1ms')
    expect(replaced.code).toBe(exitCodes.notReady.code)
    expect(replaced.stderr).toContain(`process ${running.pid} still runs`)

    // A successor that is still starting: the old one holds the port.
    const theirs = await mkdtemp(join(tmpdir(), 'rookery-theirs-'))
    await writeFile(join(theirs, 'rookery.pid'), `${process.pid}\n\nAbCdEf\n`)
    const other = await ready(theirs, '--timeout', '1s', '--json')
    await rm(theirs, { recursive: true })
    expect(other.code).toBe(exitCodes.notReady.code)
    expect(other.stderr).toContain(`answered by another process than ${process.pid}`)
    expect(JSON.parse(other.stdout)).toMatchObject({ ready: false, pid: process.pid })
  })

  it('replaces its workers on `reload`', async () => {
    const before = running.workerPids()
    const { code, stdout } = await rookery(['reload', '--data-dir', running.dataDir])
    expect([code, stdout]).toEqual([0, expect.stringContaining('done: 2 workers run the new code')])
    expect(running.countLogs('reload done')).toBe(1)
    expect(running.workerPids()).toHaveLength(2)
    expect(running.workerPids().filter((pid) => before.includes(pid))).toEqual([])
  })
})
