/**
 * The report of the load tests in a real browser: it draws its charts, makes no requests, and is accessible.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { ReportDocument } from '../../loadtest/report/document.ts'
import { reportPage } from '../../loadtest/report/page/page.ts'
import { failedResult, imaginedResult, invalidResult } from '../harness/loadtest/results.ts'
import { seriousViolations } from '../harness/page/axe.ts'
import { Chromium, type OpenPage } from '../harness/page/page.ts'

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 }
const CHARTS = 6

let directory: string
let browser: Chromium

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'loadtest-page-'))
  browser = await Chromium.start()
})
afterEach(() => browser.closePages())
afterAll(async () => {
  await browser.stop()
  await rm(directory, { recursive: true })
})

async function open(document: ReportDocument, options: object = {}): Promise<OpenPage> {
  const file = join(directory, 'report.html')
  await writeFile(file, await reportPage(document))
  return browser.openPage({ url: pathToFileURL(file).href, ...options })
}

const requests = (page: Page): Promise<number> =>
  page.evaluate("performance.getEntriesByType('resource').length")

/** The number of colours in each canvas: a blank one has one. */
const coloursOf = (page: Page): Promise<number[]> =>
  page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
    const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)
    return new Set(pixels).size
  })`)

/** The tables that are wider than their place. */
const CUT_OFF = `[...document.querySelectorAll('.scroll')]
  .filter((table) => table.scrollWidth > table.clientWidth)
  .map((table) => table.ariaLabel)`

it.each([
  ['passed', imaginedResult(), {}],
  ['failed', failedResult(), PHONE],
  ['invalid', invalidResult(), { colorScheme: 'dark' }],
] as const)(
  'a run that %s: its charts and marks are drawn from the file only',
  async (name, result, look) => {
    const opened = await open(result, look)
    const { page } = opened
    const colours = await coloursOf(page)
    expect(colours).toHaveLength(CHARTS + 1)
    expect(Math.min(...colours)).toBeGreaterThan(10)
    expect(await page.locator('.charts .mark').allTextContents()).toEqual(
      Array.from({ length: CHARTS }, () => ['1load: 200/s', '2kill-worker 1']).flat(),
    )
    expect(await page.locator('h1').textContent()).toContain(name.toUpperCase())
    expect(await requests(page)).toBe(0)
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    const target = await page.locator('.verdict .target').textContent()
    expect(target).toMatch(/^On rookery: 1 host with 2 workers\. /)
    // On a phone tables scroll; beside that nothing is cut off.
    if (look !== PHONE) expect(await page.evaluate<string[]>(CUT_OFF)).toEqual([])
    await opened.screenshot(`loadtest-${name}`)
    expect(await seriousViolations(page)).toEqual([])
  },
)

it('one cursor spans all charts of a run', async () => {
  const { page } = await open(imaginedResult())
  await page.locator('.charts .u-over').first().hover()
  const times = await page.locator('.charts .u-legend tr:first-child .u-value').allTextContents()
  expect(times).toHaveLength(CHARTS)
  expect(new Set(times).size).toBe(1)
  expect(times[0]).toMatch(/\d s$/)
})

it('runs of a tour unfold, and are drawn when they do', async () => {
  const tour: ReportDocument = {
    document: 'tour',
    version: 1,
    tool: { version: '0.1.0', commit: null },
    startedAt: '2026-11-20T09:30:00.000Z',
    arguments: {},
    interrupted: false,
    title: 'A tour',
    results: [imaginedResult(), failedResult()],
  }
  const { page } = await open(tour)
  expect(await page.locator('canvas').count()).toBe(CHARTS + 1)
  await page.getByRole('link', { name: /^2\./ }).click()
  await expect.poll(() => page.locator('canvas').count()).toBe(2 * (CHARTS + 1))
  expect(await page.locator('h1').textContent()).toContain('FAILED')
  expect(await seriousViolations(page)).toEqual([])
})

it('hostile text is shown as text', async () => {
  const hostile = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>'
  const marks = [{ atMs: 3_000, label: hostile }]
  const opened = await open(imaginedResult({ target: hostile, changes: { marks } }))
  expect(await opened.page.locator('.mark span').first().textContent()).toBe(hostile)
  expect(await opened.page.title()).toContain(hostile)
  expect(await opened.page.locator('img').count()).toBe(0)
})
