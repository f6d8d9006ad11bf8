import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AssetStore } from '../../src/worker/http/asset-store.ts'

const DAY_MS = 24 * 3_600_000
const START_MS = Date.UTC(2030)

let directory: string
let nowMs: number
let canJudgeAges: boolean
let warnings: string[]
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'rookery-assets-')), 'page-assets')
  nowMs = START_MS
  canJudgeAges = true
  warnings = []
})
afterEach(() => rmSync(join(directory, '..'), { recursive: true }))

function worker(maxBytes = 1_000): AssetStore {
  const logger = pino({}, { write: (line: string) => void warnings.push(line) })
  const clock = { now: () => nowMs, canJudgeAges: () => canJudgeAges }
  return new AssetStore({ directory, logger, registry: new Registry(), clock, maxBytes })
}

/** A version of the page whose files hold `bytes` bytes each. */
function version(name: string, bytes = 10): Map<string, Buffer> {
  const body = Buffer.alloc(bytes, name)
  const paths = ['/index.html', `/assets/index-${name}.js`, `/assets/index-${name}.js.br`, '/assets/icon.svg']
  return new Map(paths.map((path) => [path, path.includes('icon') ? Buffer.from('icon') : body]))
}

const stored = () => readdirSync(directory).toSorted()

test('a worker finds the assets of later and of earlier versions, and nothing else', async () => {
  const old = worker()
  old.keep(version('old'))
  worker().keep(version('new'))
  for (const name of ['old', 'new']) {
    const file = await old.find(`/assets/index-${name}.js`)
    expect(file?.plain.body).toEqual(Buffer.alloc(10, name))
    expect(file?.encoded.map(({ encoding }) => encoding)).toEqual(['br'])
    expect(file?.plain.caching['Cache-Control']).toContain('immutable')
  }
  writeFileSync(join(directory, '../secret'), 'secret')
  for (const name of [
    'none.js',
    '',
    '.',
    '../secret',
    '..%2fsecret',
    'index-old.js/',
    '\0',
    'a'.repeat(300),
  ]) {
    expect(await old.find(`/assets/${name}`)).toBeUndefined()
  }
  expect(await old.find('/assets/index.html')).toBeUndefined()
  expect(warnings).toEqual([])
})

test('an earlier version is kept for weeks after it was replaced, however long it ran before', () => {
  worker().keep(version('old'))
  nowMs += 400 * DAY_MS
  worker().keep(version('new'))
  nowMs += 29 * DAY_MS
  worker().keep(version('new'))
  expect(stored()).toContain('index-old.js')
  nowMs += 2 * DAY_MS
  worker().keep(version('new'))
  expect(stored()).toEqual(['icon.svg', 'index-new.js', 'index-new.js.br'])
})

test('nothing is deleted because of its age while the clock is in doubt', () => {
  worker().keep(version('old'))
  worker().keep(version('new'))
  nowMs += 730 * DAY_MS
  canJudgeAges = false
  worker().keep(version('new'))
  expect(stored()).toContain('index-old.js')
  canJudgeAges = true
  worker().keep(version('new'))
  expect(stored()).not.toContain('index-old.js')
})

test('a version that comes back is in use again', () => {
  worker().keep(version('old'))
  worker().keep(version('new'))
  nowMs += 29 * DAY_MS
  worker().keep(version('old'))
  nowMs += 29 * DAY_MS
  worker().keep(version('old'))
  expect(stored()).toContain('index-old.js')
  expect(stored()).toContain('index-new.js')
  nowMs += 2 * DAY_MS
  worker().keep(version('old'))
  expect(stored()).toEqual(['icon.svg', 'index-old.js', 'index-old.js.br'])
})

test('beyond the limit of bytes the oldest versions go, and never the present one', () => {
  for (const name of ['a', 'b', 'c']) {
    worker(45).keep(version(name, 20))
    nowMs += DAY_MS
  }
  expect(stored()).toEqual(['icon.svg', 'index-b.js', 'index-b.js.br', 'index-c.js', 'index-c.js.br'])
  worker(10).keep(version('d', 20))
  expect(stored()).toEqual(['icon.svg', 'index-d.js', 'index-d.js.br'])
})

test('what another worker is writing stays, what one left behind goes', () => {
  worker().keep(version('old'))
  writeFileSync(join(directory, '.partial'), 'half')
  nowMs = Date.now()
  worker().keep(version('old'))
  expect(stored()).toContain('.partial')
  nowMs += 2 * 3_600_000
  worker().keep(version('old'))
  expect(stored()).not.toContain('.partial')
})

test('a file that was cut off is stored again', async () => {
  worker().keep(version('old'))
  writeFileSync(join(directory, 'index-old.js'), 'half')
  worker().keep(version('old'))
  expect((await worker().find('/assets/index-old.js'))?.plain.body).toEqual(Buffer.alloc(10, 'old'))
})

test('a directory that cannot be used is said, and nothing else happens', async () => {
  writeFileSync(directory, 'a file')
  const store = worker()
  store.keep(version('old'))
  expect(warnings.join()).toContain('the files of the page could not be kept')
  expect(await store.find('/assets/index-old.js')).toBeUndefined()
  expect(warnings.join()).toContain('a file of the page could not be read')
  rmSync(directory)
})
