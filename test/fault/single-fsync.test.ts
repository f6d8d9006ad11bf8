/** A disk fails fsync (libfiu, from Debian) under the embedded log, under load, and then works again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { run } from '../harness/command.ts'
import { underLoad } from '../harness/members/under-load.ts'
import { until } from '../harness/until.ts'

const EIO = 5

let directory: string
let rookery: RunningRookery

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-fiu-'))
  const env = {
    ...UNLIMITED_RATES,
    WORKERS: '2',
    LD_PRELOAD: '/usr/lib/fiu/fiu_run_preload.so /usr/lib/fiu/fiu_posix_preload.so',
    FIU_CTRL_FIFO: join(directory, 'control'),
  }
  rookery = await startRookery({ env })
})

afterAll(async () => {
  await rookery?.kill()
  await rm(directory, { recursive: true, force: true })
})

async function tellPrimary(...commands: string[]): Promise<void> {
  const words = commands.flatMap((command) => ['-c', command])
  const { code, stderr } = await run('fiu-ctrl', [
    '-f',
    join(directory, 'control'),
    ...words,
    String(rookery.pid),
  ])
  if (code !== 0) throw new Error(stderr)
}

const SYNCS = ['fdatasync', 'fsync'].map((name) => `posix/io/sync/${name}`)

test('sends are refused as retryable, acked messages are kept, and the host recovers by itself', async () => {
  const crowd = await underLoad({ url: rookery.url, label: 'fsync-' }, async (writers) => {
    await tellPrimary(...SYNCS.map((name) => `enable name=${name},failinfo=${EIO}`))
    await until(
      () => (writers.refusals()['unavailable'] ?? 0) > 0,
      'sends are refused',
      () => rookery.tail(),
    )
    await tellPrimary(...SYNCS.map((name) => `disable name=${name}`))
  })
  expect(crowd.disconnects).toBe(0)
  expect(Object.keys(crowd.refusals())).toEqual(['unavailable'])
  expect(rookery.log('the room log cannot be written')).toBeDefined()
})
