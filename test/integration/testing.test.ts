/** `rookery/testing`, as tests of an application use it: through the package's name, from the built product. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ClusterStartError, startCluster, type TestCluster } from 'rookery/testing'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../harness/command.ts'
import { until } from '../harness/until.ts'

const FIXTURES = new URL('../fixtures/testing/', import.meta.url)
const APP = new URL('app.js', FIXTURES)

const isThere = (pid: number) => existsSync(`/proc/${pid}`)

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-of-testing-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('a cluster', () => {
  let cluster: TestCluster
  let versionFile: string
  const clients: Socket[] = []

  const connect = async (): Promise<{ client: Socket; worker: string; version: string }> => {
    const client = io(cluster.url, { forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 10 })
    clients.push(client)
    return { client, ...(await client.emitWithAck('who')) }
  }

  beforeAll(async () => {
    versionFile = join(directory, 'version.json')
    await writeFile(versionFile, '"one"')
    cluster = await startCluster({
      app: APP,
      workers: 2,
      env: { VERSION_FILE: versionFile, PORT: undefined },
    })
  })
  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await cluster.stop()
  })

  test('has workers on a free port, and an admin listener', async () => {
    expect(cluster.workers()).toHaveLength(2)
    expect((await connect()).version).toBe('one')
    const status = (await (await fetch(`${cluster.adminUrl}/status`)).json()) as { pid: number }
    expect(status.pid).toBe(cluster.pid)
  })

  test('clients come back after one of its workers was killed', async () => {
    const before = cluster.workers()
    const [first] = before
    let held = await connect()
    while (held.worker !== first?.name) held = await connect()
    const again = new Promise((resolve) => held.client.io.once('reconnect', resolve))
    expect(cluster.killWorker()).toBe(first?.pid)
    expect(cluster.workers()).not.toContainEqual(first)
    await again
    expect(await held.client.emitWithAck('who')).not.toMatchObject({ worker: first?.name })
    await cluster.untilReady()
    expect(cluster.workers()).toHaveLength(2)
    expect(() => cluster.killWorker(2)).toThrow('there is no worker 2')
  })

  test('a reload brings new code, and rejects with the reason when it does not start', async () => {
    const before = cluster.workers()
    await writeFile(versionFile, '"two"')
    await cluster.reload()
    expect(cluster.workers().filter(({ name }) => before.some((old) => old.name === name))).toEqual([])
    expect((await connect()).version).toBe('two')

    await writeFile(versionFile, 'not JSON')
    await expect(cluster.reload()).rejects.toThrow(/^the reload failed: a new worker did not start: .*JSON/)
    expect((await connect()).version).toBe('two')
    await writeFile(versionFile, '"three"')
    await Promise.all([cluster.reload(), cluster.reload()])
    expect((await connect()).version).toBe('three')
  })

  test('is gone after a stop, with its data', async () => {
    const pids = [cluster.pid, ...cluster.workers().map(({ pid }) => pid)]
    const dataDir = String(cluster.logs.find(({ msg }) => msg === 'ready')?.dataDir)
    expect(existsSync(dataDir)).toBe(true)
    expect(await Promise.all([cluster.stop(), cluster.stop()])).toEqual([0, 0])
    expect(pids.filter(isThere)).toEqual([])
    expect(existsSync(dataDir)).toBe(false)
    await expect(cluster.untilReady()).rejects.toThrow('it ended with exit code 0')
  })
})

test('an application that throws rejects with its reason and the lines of the log', async () => {
  const app = join(directory, 'broken.mjs')
  await writeFile(app, "console.log('begun')\nthrow new Error('no database')\n")
  const error = await startCluster({ app, workers: 1 }).catch((failure: unknown) => failure)
  expect(error).toBeInstanceOf(ClusterStartError)
  expect(error).toMatchObject({ reason: 'no database', lines: expect.arrayContaining(['begun']) })
  expect(String(error)).toContain('broken.mjs:2')
})

test('a setting that is refused rejects with the exit code and the message', async () => {
  await expect(startCluster({ app: APP, env: { MAX_PACKET_BYTES: 'many' } })).rejects.toMatchObject({
    name: 'ClusterStartError',
    exitCode: 3,
    message: expect.stringContaining('MAX_PACKET_BYTES'),
  })
})

test('a start has an end, and a signal ends it and the cluster', async () => {
  const app = join(directory, 'never.mjs')
  await writeFile(
    app,
    'await new Promise((resolve) => setTimeout(resolve, 1e9))\nexport default () => undefined\n',
  )
  await expect(startCluster({ app, workers: 1, timeoutMs: 1 })).rejects.toThrow('not within 1 ms')

  // Longer than the test may take.
  const timeoutMs = 600_000
  const starting = new AbortController()
  const begun = startCluster({ app, workers: 1, timeoutMs, signal: starting.signal })
  starting.abort(new Error('the test is over'))
  await expect(begun).rejects.toThrow('the test is over')

  const running = new AbortController()
  const cluster = await startCluster({ app: APP, workers: 1, signal: running.signal })
  running.abort()
  await until(() => !isThere(cluster.pid), 'the cluster has ended')
  expect(await cluster.stop()).toBe(0)
})

test('the environment of the test reaches the application, and joins it to no cluster', async () => {
  // Of the process that runs this file: nothing else in it starts a cluster meanwhile.
  Object.assign(process.env, {
    REDIS_URL: 'redis://127.0.0.1:1',
    ROOKERY_WORKERS: '7',
    FOR_THE_APP: 'a',
    PORT: '1',
  })
  try {
    await using cluster = await startCluster({ app: APP, workers: 1, env: { ALSO: 'b' } })
    const read = async (name: string) => (await fetch(`${cluster.url}/environment/${name}`)).json()
    expect(await read('FOR_THE_APP')).toBe('a')
    expect(await read('ALSO')).toBe('b')
    expect(await read('PORT')).toBe('1')
    expect(await read('REDIS_URL')).toBeNull()
    expect(cluster.workers()).toHaveLength(1)
  } finally {
    for (const name of ['REDIS_URL', 'ROOKERY_WORKERS', 'FOR_THE_APP', 'PORT']) delete process.env[name]
  }
})

test("Node's own test runner uses it, and ends", async () => {
  const file = new URL('node-test.js', FIXTURES).pathname
  const { code, stdout } = await run(process.execPath, ['--test', file])
  expect([code, stdout]).toEqual([0, expect.stringMatching(/pass 1\b/)])
})

test('a cluster that has just been started ends too when the process of its test is killed', async () => {
  const orphan = spawn(process.execPath, [new URL('orphan.js', FIXTURES).pathname], { stdio: 'ignore' })
  const children = async () =>
    (await readFile(`/proc/${orphan.pid}/task/${orphan.pid}/children`, 'utf8'))
      .trim()
      .split(' ')
      .filter(Boolean)
  await until(async () => (await children()).length > 0, 'the program of the cluster is started')
  const [pid] = (await children()).map(Number)
  orphan.kill('SIGKILL')
  await until(() => !isThere(pid ?? 0), 'it has ended')
})

test('a cluster ends, and its data goes, when the process of its test is killed', async () => {
  const orphan = spawn(process.execPath, [new URL('orphan.js', FIXTURES).pathname], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: orphan.stdout }), 'line')
  const { pids, dataDir } = JSON.parse(String(line)) as { pids: number[]; dataDir: string }
  expect(pids.filter(isThere)).toHaveLength(2)
  orphan.kill('SIGKILL')
  await until(() => !pids.some(isThere) && !existsSync(dataDir), 'nothing is left')
})
