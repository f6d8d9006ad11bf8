import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Baseline } from '../../loadtest/model/result.ts'
import type { Comparison } from '../../loadtest/report/compare/comparison.ts'
import { parseReport } from '../../loadtest/report/document.ts'
import { readReport, writeReport } from '../../loadtest/report/files.ts'
import { markdownReport } from '../../loadtest/report/markdown.ts'
import { headline, outcomeOf } from '../../loadtest/report/outcome.ts'
import { pointsOf } from '../../loadtest/report/page/distribution.ts'
import { downsampled } from '../../loadtest/report/page/downsample.ts'
import { reportPage } from '../../loadtest/report/page/page.ts'
import { repeatRun } from '../../loadtest/report/repeat-command.ts'
import { paintFor, unpainted } from '../../loadtest/report/terminal/paint.ts'
import { Progress, type ProgressState } from '../../loadtest/report/terminal/progress.ts'
import { terminalDocument } from '../../loadtest/report/terminal/terminal-document.ts'
import { failedResult, imaginedResult, invalidResult, summaryOf } from '../harness/loadtest/results.ts'

const HOSTILE = '</script><script>stolen()</script><img src=x onerror="stolen()">\u001b[2J\u202e'
let cwd: string

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'loadtest-report-'))
})
afterAll(() => rm(cwd, { recursive: true }))

const baseline = (after: number): Baseline => ({
  clients: 'all',
  waitedMs: 4_100,
  rows: [
    {
      of: `workers of ${HOSTILE}`,
      what: 'heap',
      unit: 'bytes',
      before: 2 ** 20,
      after: 2 ** 21,
      least: null,
      most: null,
      changed: '',
    },
    {
      of: 'Redis',
      what: 'shard channels',
      unit: 'count',
      before: 61,
      after,
      least: 61,
      most: 61,
      changed: HOSTILE,
    },
  ],
})

const comparison = (): Comparison => ({
  document: 'comparison',
  version: 1,
  tool: { version: '0.1.0', commit: null },
  startedAt: '2026-11-20T09:30:00.000Z',
  arguments: { rounds: 2 },
  interrupted: false,
  sides: [
    { label: 'A', results: [imaginedResult({ seconds: 9 }), imaginedResult({ seconds: 9 })] },
    { label: 'B', results: [imaginedResult({ seconds: 9 }), failedResult({ seconds: 9 })] },
  ],
  beside: [{ label: 'chat', results: [imaginedResult({ seconds: 9, changes: { dialect: 'chat' } })] }],
})

describe('on a terminal', () => {
  it.each([
    ['PASSED', imaginedResult()],
    ['FAILED', failedResult()],
    ['INVALID', invalidResult()],
    ['PASSED (interrupted)', imaginedResult({ changes: { interrupted: true } })],
  ])('the first word is %s', (word, result) => {
    expect(headline(outcomeOf(result))).toBe(word)
    expect(terminalDocument(result, { columns: 100, paint: unpainted })[0]).toContain(`${word}  `)
  })

  it('the reason of a failure is shown', () => {
    const text = terminalDocument(failedResult(), { columns: 100, paint: unpainted }).join('\n')
    expect(text).toContain('✗ 37 deliveries lost, 30 of them while the member was away')
    expect(text).toContain('✗ back within 5 s: the last after 11.2 s')
  })

  it.each([40, 60, 100])('no line is wider than %i columns', (columns) => {
    const lines = terminalDocument(failedResult(), { columns, paint: unpainted }).slice(1)
    expect(lines.filter((line) => line.length > columns && !line.startsWith('Latency'))).toEqual([])
  })

  it('colours appear only where the terminal has some', () => {
    const colourful = paintFor({ isTTY: true, hasColors: () => true })
    const lines = terminalDocument(failedResult(), { columns: 80, paint: colourful })
    expect(lines[0]).toContain('\u001b[')
    expect(lines.map(stripVTControlCharacters)).toEqual(
      terminalDocument(failedResult(), { columns: 80, paint: unpainted }),
    )
    expect(paintFor({ isTTY: true, hasColors: () => false })('bad', 'x')).toBe('x')
    expect(paintFor({ hasColors: () => true })('bad', 'x')).toBe('x')
  })

  it('no control character of the data gets through', () => {
    const result = imaginedResult({ changes: { marks: [{ atMs: 0, label: HOSTILE }] } })
    const text = terminalDocument(result, { columns: 80, paint: unpainted }).join('')
    expect(text).toContain('�[2J�')
    expect(text).not.toMatch(/\p{Cc}|\p{Cf}/u)
  })
})

describe('progress', () => {
  const state: ProgressState = {
    phase: 'load',
    elapsedMs: 0,
    expectedMs: 60_000,
    clients: 10,
    connected: 9,
    deliveredPerSec: 1_234,
    deliveryP99Ms: 4.5,
    problems: ['1 disconnect'],
  }
  const line =
    'load  0 ms of about 60.0 s · 9 of 10 connected · 1,234 deliveries/s · p99 4.5 ms · ! 1 disconnect'

  it('writes a line every 5 s where it cannot redraw', () => {
    const written: string[] = []
    const progress = new Progress({ write: (text) => written.push(text) })
    for (let elapsedMs = 0; elapsedMs <= 10_000; elapsedMs += 1_000) progress.show({ ...state, elapsedMs })
    progress.end()
    expect(written).toHaveLength(3)
    expect(written[0]).toBe(`${line}\n`)
  })

  it('redraws one line on a terminal, and removes it at the end', () => {
    const written: string[] = []
    const progress = new Progress({ isTTY: true, columns: 60, write: (text) => written.push(text) })
    progress.show(state)
    progress.note('started')
    progress.end()
    const drawn = `\r\u001b[2K${line.slice(0, 58)}…`
    expect(written).toEqual([drawn, `\r\u001b[2Kstarted\n${drawn.slice(5)}`, '\r\u001b[2K'])
  })
})

const ofVersion2 = JSON.stringify({ ...imaginedResult(), version: 2 })

describe('files', () => {
  it('keep JSON and page in their own directory, and can be read back from JSON', async () => {
    const result = imaginedResult()
    const paths = await writeReport(result, { cwd })
    const directory = 'loadtest-results/2026-11-20T093000-worker-kill-rookery'
    expect(paths).toEqual({ json: `${directory}/result.json`, page: `${directory}/report.html` })
    expect(await readReport(join(cwd, directory))).toEqual(result)
    expect((await readdir(join(cwd, directory))).toSorted()).toEqual(['report.html', 'result.json'])
    expect((await writeReport(result, { cwd })).json).toBe(`${directory}-2/result.json`)
  })

  it("hold a comparison, and use no hostile words in a directory's name", async () => {
    const hostile = {
      ...imaginedResult({ seconds: 9 }),
      target: { ...imaginedResult().target, name: '../../x' },
    }
    expect((await writeReport(hostile, { cwd })).json).toMatch(/^loadtest-results\/[\w-]+-x\/result\.json$/)
    const paths = await writeReport(comparison(), { cwd, directory: 'kept' })
    expect(paths.json).toBe('kept/result.json')
    expect(await readReport(join(cwd, 'kept'))).toEqual(comparison())
  })

  it('of other versions and of other kinds are refused, in clear words', async () => {
    expect(() => parseReport(ofVersion2, 'x.json')).toThrow(
      'x.json is version 2 of a run: this tool reads version 1',
    )
    expect(() => parseReport('{', 'x.json')).toThrow('x.json is not JSON')
    expect(() => parseReport('{}', 'x.json')).toThrow('x.json is not a result of this tool')
    expect(() => parseReport('{"version":1}', 'x.json')).toThrow('x.json is not valid')
    await mkdir(join(cwd, 'empty'))
    await expect(readReport(join(cwd, 'empty'))).rejects.toThrow('result.json cannot be read')
    await expect(readReport(join(cwd, 'none'))).rejects.toThrow('there is no')
  })

  it('are not written for results that cannot be compared', async () => {
    const mixed = comparison()
    mixed.sides.push(...mixed.beside)
    await expect(writeReport(mixed, { cwd, directory: 'mixed' })).rejects.toThrow('different dialects')
    await expect(readFile(join(cwd, 'mixed/result.json'))).rejects.toThrow('ENOENT')
  })
})

describe('the page', () => {
  it('escapes all text from data', async () => {
    const marks = [{ atMs: 0, label: HOSTILE }]
    const changes = {
      marks,
      invalid: [HOSTILE],
      valid: false,
      arguments: { [HOSTILE]: HOSTILE },
      refusals: { [HOSTILE]: 1 },
    }
    const page = await reportPage(imaginedResult({ target: HOSTILE, changes }))
    expect(page).not.toContain('<script>stolen')
    expect(page).not.toContain('<img')
    expect(page).toContain('&lt;script&gt;stolen()')
    expect(page).toContain(String.raw`\u003c/script>`)
  })

  it('loads nothing', async () => {
    const page = await reportPage(comparison())
    expect(page).not.toMatch(/<(link|img|iframe|script src)/)
    expect(page).toContain('default-src &#39;none&#39;')
  })
})

describe('other output', () => {
  it('quotes the command that repeats a run for a shell', () => {
    const changes = { arguments: { roomSize: 5, target: "it's", find: true, quiet: false } }
    expect(repeatRun(imaginedResult({ changes }))).toBe(
      String.raw`npm run loadtest -- run worker-kill --room-size 5 --target 'it'\''s' --find --seed 1`,
    )
  })

  it('draws percentiles as in the histogram', () => {
    const points = pointsOf(summaryOf(Array.from({ length: 1_000 }, (_, index) => index + 1)), 'x')
    expect(points[0]).toEqual([0, 1])
    const [percentile, ms] = points[20] ?? [0, 0]
    expect(percentile).toBeCloseTo(90)
    expect(ms / 900).toBeCloseTo(1, 2)
    expect(points.at(-1)?.[0]).toBeCloseTo(99.9)
  })

  it('thins long runs without losing the worst second', () => {
    const { timeline } = imaginedResult({ seconds: 100 })
    const worst = Math.max(...timeline.map(({ deliveryMaxMs }) => deliveryMaxMs))
    const thin = downsampled(timeline, 20)
    expect(thin.length).toBeLessThanOrEqual(20)
    expect(Math.max(...thin.map(({ deliveryMaxMs }) => deliveryMaxMs))).toBe(worst)
  })

  it('makes Markdown that data cannot break', () => {
    const text = markdownReport(imaginedResult({ target: 'a|b<i>' }))
    expect(text).toContain(String.raw`| a\|b\<i\> | worker-kill | bench | passed |`)
    expect(markdownReport(comparison())).toContain('| figure | A | B | ratio |')
  })
})

const withBaseline = async (after: number) => {
  const result = imaginedResult({ changes: { baselines: [baseline(after)] } })
  return {
    page: await reportPage(parseReport(JSON.stringify(result), 'result.json')),
    text: terminalDocument(result, { columns: 100, paint: unpainted }).join('\n'),
  }
}

describe('resource counts of servers before and after', () => {
  it('appear in the terminal and on the page', async () => {
    const { page, text } = await withBaseline(61)
    expect(text).toContain('shard channels 61 → 61')
    expect(text).toContain('heap 1 MiB → 2 MiB')
    expect(page).toContain('What the servers held with all clients in their rooms: before, and 4.1 s after')
    expect(page).toMatch(/Redis: shard channels<.*?61<.*?61<.*?>back</)
    for (const each of [page, text]) expect(each).not.toContain(HOSTILE)
  })

  it('name what has not returned', async () => {
    expect((await withBaseline(60)).page).toMatch(/Redis: shard channels<.*?61<.*?60<.*?>not back</)
  })
})
