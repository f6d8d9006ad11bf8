/**
 * Files that a host needs while it runs are removed under it, as tools do that tidy up /tmp: it notices, makes
 * them again, and goes on. Of two containers that share a data directory only the first runs.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { metricSum } from '../harness/cluster/metric-sum.ts'
import { rookery } from '../harness/command.ts'
import { until } from '../harness/until.ts'

let temporary: string
let host: RunningRookery

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'rookery-files-'))
  host = await startRookery({ env: { TMPDIR: temporary } })
})

afterAll(async () => {
  await host?.kill()
  await rm(temporary, { recursive: true, force: true })
})

/** Removes the sockets and the pid file, wherever they are. */
async function tidyUp(): Promise<number> {
  let removed = 0
  for (const directory of [host.dataDir, temporary]) {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (!/\.(?:sock|pid)$/.test(entry.name)) continue
      await rm(join(entry.parentPath, entry.name))
      removed += 1
    }
  }
  return removed
}

const secondHost = () =>
  rookery(['start'], { env: { PORT: '0', ADMIN_PORT: '0', DATA_DIR: host.dataDir, TMPDIR: temporary } })

test('sockets and pid file that vanish are made again, and a second host stays refused', async () => {
  expect(await tidyUp()).toBeGreaterThan(1)
  await host.untilLog('a file of the running host had vanished: it was made again', 3)
  expect(await metricSum(host.adminUrl, 'rookery_files_lost_total')).toBe(3)
  const { code, stderr } = await secondHost()
  expect(code, stderr).toBe(exitCodes.dataDirectory.code)
  expect((await rookery(['reload', '--data-dir', host.dataDir])).code).toBe(0)
  await host.untilLog('reload done')
})

test('a worker that starts at the moment when the socket has vanished finds it', async () => {
  const started = host.countLogs('worker ready')
  await tidyUp()
  const pid = host.killWorker(0)
  await until(
    () => host.countLogs('worker ready') > started && !host.workerPids().includes(pid),
    'there is a new worker',
    () => host.tail(),
  )
  expect(host.countLogs('worker died')).toBe(1)
})

const isRoot = process.getuid?.() === 0

/** As in a container: it is process 1, with a network and a /tmp of its own. */
const container = ['unshare', '--pid', '--mount-proc', '--net', '--fork', '--kill-child']

test.skipIf(!isRoot)('a second container on the same data directory exits at once', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rookery-shared-'))
  const all: RunningRookery[] = []
  const contained = async () => {
    const TMPDIR = await mkdtemp(join(temporary, 'container-'))
    const env = { DATA_DIR: dataDir, TMPDIR, WORKERS: '1' }
    const started = await startRookery({ within: container, untilReady: false, env })
    all.push(started)
    return started
  }
  try {
    const first = await contained()
    await first.untilLog('ready')
    const second = await contained()
    const { code } = await second.exited()
    expect(code, second.tail()).toBe(exitCodes.dataDirectory.code)
    expect(second.tail()).toContain('is used by the Rookery with pid 1 on ')
    await first.kill()
    await (await contained()).untilLog('ready')
  } finally {
    for (const each of all) await each.kill()
    await rm(dataDir, { recursive: true, force: true })
  }
})
