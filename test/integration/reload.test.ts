/** `rookery reload` follows the reload of a running host, and says how it ended. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { plainEnvironment, run } from '../harness/command.ts'

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname

let directory: string
let app: string
let rookery: RunningRookery

const version = (text: string) =>
  `export default (_io, { http }) => void http.get('/version', (c) => c.text('${text}'))\n`

const reload = (...args: string[]) =>
  run(process.execPath, [MAIN, 'reload', '--data-dir', rookery.dataDir, ...args], { env: plainEnvironment() })

const versionNow = async () =>
  (await fetch(`${rookery.url}/version`, { headers: { Connection: 'close' } })).text()

/** What twenty connections are told: both workers are among them. */
const versions = async () => new Set(await Promise.all(Array.from({ length: 20 }, versionNow)))

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-reload-'))
  app = join(directory, 'app.mjs')
  await writeFile(app, version('one'))
  rookery = await startRookery({ args: ['--app', app] })
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
  await rm(directory, { recursive: true })
})

test('it waits until all workers run the new code', async () => {
  await writeFile(app, version('two'))
  const { code, stdout } = await reload()
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/2 of 2 workers replaced\ndone: 2 workers run the new code/),
  ])
  expect(await versions()).toEqual(new Set(['two']))
})

test('code that does not start fails it, with the reason, and the earlier workers go on', async () => {
  const before = rookery.workerNames()
  await writeFile(app, "throw new Error('a fault of version three')\n")
  const { code, stderr } = await reload()
  expect(code).toBe(exitCodes.reloadFailed.code)
  expect(stderr).toContain('a new worker did not start: a fault of version three; the earlier workers go on')
  expect(rookery.workerNames()).toEqual(before)
  expect(await versions()).toEqual(new Set(['two']))
})

test('two at a time are both awaited, and scripts get JSON', async () => {
  await writeFile(app, version('four'))
  const both = await Promise.all([reload('--json'), reload('--json')])
  for (const { code, stdout } of both)
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { pid: rookery.pid, error: null, replaced: 2, of: 2 },
    ])
  expect(await versions()).toEqual(new Set(['four']))
})

test('it can be asked for without waiting, and a wrong time is refused', async () => {
  const before = rookery.countLogs('reload done')
  const { code, stdout } = await reload('--no-wait')
  expect([code, stdout]).toEqual([0, expect.stringContaining('its log shows the progress')])
  await rookery.untilLog('reload done', before + 1)
  expect((await reload('--timeout', 'soon')).code).toBe(exitCodes.usage.code)
})
