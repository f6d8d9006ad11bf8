/** The sampler and the probe against processes that report their own usage. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ProbeLine, ProbeReader } from '../../loadtest/measure/probe/probe-reader.ts'
import { type ServerSample, ServerSampler } from '../../loadtest/measure/server-sampler.ts'
import { Machine } from '../../loadtest/model/result.ts'
import type { ServerProcess } from '../../loadtest/model/server-process.ts'
import type { RedisFigures } from '../../loadtest/model/target.ts'
import { machineNow, toolNow } from '../../loadtest/system/machine.ts'
import { run } from '../harness/command.ts'
import { until } from '../harness/until.ts'

const BURNER = fileURLToPath(new URL('../fixtures/loadtest-burner.js', import.meta.url))
const PROBE = pathToFileURL(
  fileURLToPath(new URL('../../loadtest/measure/probe/probe.js', import.meta.url)),
).href
/** Clock ticks are 10 ms; answering and sampling also take a little time. */
const TOLERANCE_MS = 60

let directory = ''
const burners: ChildProcess[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-measure-'))
})

afterEach(async () => {
  for (const burner of burners.splice(0)) burner.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

async function startBurner(): Promise<ChildProcess> {
  const env = { ...process.env, NODE_OPTIONS: `--import ${PROBE}`, LOADTEST_PROBES: directory }
  const burner = fork(BURNER, { env })
  burners.push(burner)
  await once(burner, 'message')
  return burner
}

/** @returns the CPU time that it has used since its start, as it reports */
async function burn(burner: ChildProcess, ms: number): Promise<number> {
  const answered = once(burner, 'message')
  burner.send(ms)
  const [usedMs] = (await answered) as [number]
  return usedMs
}

const processesOf = (all: readonly ChildProcess[]): ServerProcess[] =>
  all
    .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    .map(({ pid = 0 }, index) => ({ pid, role: index === 0 ? 'primary' : 'worker', host: 0 }))

const startSampler = (redis: () => Promise<RedisFigures | undefined> = async () => undefined) =>
  ServerSampler.start({ processes: () => processesOf(burners), probeDirectory: directory, redis })

const newest = (sampler: ServerSampler): ServerSample | undefined => sampler.samples.at(-1)

describe('the sampler', () => {
  it('measures the CPU time of processes, also of those that exit and those that start later', async () => {
    const first = await startBurner()
    const before = await burn(first, 0)
    const sampler = await startSampler()
    expect(newest(sampler)?.cpuMs).toEqual({ primary: 0 })
    const used = (await burn(first, 800)) - before
    await sampler.sample()
    expect(Math.abs((newest(sampler)?.cpuMs['primary'] ?? 0) - used)).toBeLessThan(TOLERANCE_MS)

    const second = await startBurner()
    const usedBySecond = await burn(second, 300)
    await sampler.sample()
    expect(Math.abs((newest(sampler)?.cpuMs['worker'] ?? 0) - usedBySecond)).toBeLessThan(TOLERANCE_MS)

    const gone = once(first, 'exit')
    first.kill('SIGKILL')
    await gone
    burners.shift()
    const samples = await sampler.stop()
    expect(samples.at(-1)?.cpuMs['primary']).toBeGreaterThan(used - TOLERANCE_MS)
  })

  it('measures resident memory as the process itself does', async () => {
    const burner = await startBurner()
    const sampler = await startSampler()
    const [rss = 0] = Object.values((await sampler.stop()).at(-1)?.rssBytes ?? {})
    const status = await readFile(`/proc/${burner.pid}/status`, 'utf8')
    const kiB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
    expect(rss / (kiB * 1_024)).toBeGreaterThan(0.8)
    expect(rss / (kiB * 1_024)).toBeLessThan(1.25)
  })

  it('samples every second by itself, and continues after Redis restarts', async () => {
    const sent = [5_000, 5_700, undefined, 40, 90]
    let looks = 0
    const sampler = await startSampler(async () => {
      const bytesOut = sent[Math.min(looks++, sent.length - 1)]
      return bytesOut === undefined ? undefined : { bytesOut, bytesIn: 0, commands: 0, connections: 0 }
    })
    await until(() => sampler.samples.length >= 5, 'it samples by itself')
    const samples = await sampler.stop()
    expect(samples.slice(0, 5).map(({ redisBytesOut }) => redisBytesOut)).toEqual([0, 700, 700, 740, 790])
  })

  it('reports a failed sample at the end', async () => {
    let fails = false
    const sampler = await startSampler(async () => {
      if (fails) throw new Error('no figures')
      return undefined
    })
    fails = true
    await expect(sampler.sample()).rejects.toThrow('no figures')
    await expect(sampler.stop()).rejects.toThrow('no figures')
  })
})

describe('the probe', () => {
  it('reports a blocked event loop and memory', async () => {
    const burner = await startBurner()
    const reader = new ProbeReader(directory)
    const lines: ProbeLine[] = []
    const nextLine = async () => {
      const count = lines.length
      await until(async () => {
        lines.push(...(await reader.take()))
        return lines.length > count
      }, 'the probe writes')
    }
    await nextLine()
    const sampler = await startSampler()
    await burn(burner, 1_000)
    await nextLine()
    expect(Math.max(...lines.map(({ eventLoopDelayMaxMs }) => eventLoopDelayMaxMs))).toBeGreaterThan(900)
    expect(Math.min(...lines.map(({ rssBytes }) => rssBytes))).toBeGreaterThan(10_000_000)
    await sampler.stop()
    expect(sampler.samples.some(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms !== null)).toBe(true)
  })

  it.each([
    { where: 'with a directory', probes: () => directory, files: 1 },
    { where: 'without a directory', probes: () => '', files: 0 },
    { where: 'with a missing directory', probes: () => join(directory, 'none'), files: 0 },
  ])('neither prints anything nor keeps a process alive $where', async ({ probes, files }) => {
    const env = {
      NODE_OPTIONS: `--import ${PROBE}`,
      ...(probes() === '' ? {} : { LOADTEST_PROBES: probes() }),
    }
    const result = await run(process.execPath, ['-e', 'setTimeout(() => {}, 50)'], { env })
    expect(result).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await readdir(directory)).toHaveLength(files)
  })
})

describe('the machine', () => {
  it('is described with everything that a result needs', async () => {
    const machine = Machine.parse(await machineNow())
    expect(machine.node).toBe(process.version)
    expect(machine.memoryBytes).toBeGreaterThan(0)
    expect(machine.redis).toMatch(/^\d+\.\d+/)
    expect(machine.packages).toMatchObject({
      'socket.io': expect.stringMatching(/^4\./),
      '@socket.io/sticky': expect.stringMatching(/^2\./),
      ws: expect.stringMatching(/^8\./),
    })
  })

  it('names the commit', async () => {
    const { version, commit } = await toolNow()
    expect(version).toMatch(/^\d+\.\d+\.\d+/)
    expect(commit).toMatch(/^[0-9a-f]{40}(-dirty)?$/)
  })
})
