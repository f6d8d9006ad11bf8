/** An application that can't be loaded: one readable message, whatever the number of workers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startRookery } from '../harness/cluster/cluster.ts'

const FULL = 'the application could not be started'

/** A host with this application, which fails. */
async function start(source: string, workers: number) {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-broken-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const app = join(directory, 'app.mjs')
  await writeFile(app, source)
  const rookery = await startRookery({
    args: ['--app', app],
    env: { WORKERS: String(workers) },
    untilReady: false,
  })
  onTestFinished(() => rookery.kill())
  await rookery.untilLog(FULL)
  return { app, rookery }
}

test('with four workers it is told once, with file and line, and summed up for the others', async () => {
  const { app, rookery } = await start("const a = 1\nthrow new Error('broken at load')\n", 4)
  await rookery.untilLog('the same error in 3 more workers')
  expect(rookery.log(FULL)).toMatchObject({
    at: expect.stringMatching(`^${app}:2:\\d+$`),
    err: { message: 'broken at load', stack: expect.stringContaining('broken at load') },
  })
  const telling = rookery.logs.filter((line) => JSON.stringify(line.err ?? '').includes('broken at load'))
  expect(telling.map(({ msg }) => msg)).toEqual([FULL])
  expect([rookery.countLogs('worker died'), rookery.otherOutput]).toEqual([0, []])
})

test('a syntax error comes with its line', async () => {
  const { app, rookery } = await start('const a = 1\nconst = 2\n', 1)
  expect(rookery.log(FULL)).toMatchObject({ at: `${app}:2` })
})

test('what is missing comes with advice', async () => {
  const { rookery } = await start("import 'no-such-package'\n", 1)
  const advice = 'install it where the application is: npm install no-such-package'
  expect(rookery.log(FULL)).toMatchObject({ advice })
})
