/** A short random-fault run on both topologies, audited, as a user would start it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Seeds } from '../../loadtest/report/seeds.ts'
import { run } from '../harness/command.ts'

const MAIN = fileURLToPath(new URL('../../dist/tools/loadtest/main.js', import.meta.url))

const SEEDS = '1..5'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-loadtest-havoc-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test.each(['havoc', 'havoc-hosts'])(
  '%s: faults are injected, and no acked message is lost',
  async (scenario) => {
    const size = ['--clients', '20', '--rate', '30', '--duration', '20']
    const args = ['run', scenario, '--seeds', SEEDS, ...size, '--json', '--no-page', '--out', scenario]
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...args], { cwd: directory })
    const seeds = Seeds.parse(JSON.parse(stdout))
    // How soon all clients are served again also depends on the machine.
    expect(seeds.totals, stderr).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, phantom: 0 })
    expect(seeds.totals.acked, stderr).toBeGreaterThan(50)
    expect(Object.keys(seeds.totals.faults).length, stderr).toBeGreaterThan(1)
    expect(seeds.runs.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5])
    const written: unknown = JSON.parse(await readFile(join(directory, scenario, 'seeds.json'), 'utf8'))
    expect(written).toEqual(seeds)
  },
)
