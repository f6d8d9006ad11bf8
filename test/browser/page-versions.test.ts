/** Two versions of the page at the same time, as in a reload after an upgrade in place. */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { copyProduct, type ProductCopy } from '../harness/cluster/product-copy.ts'
import { Chromium } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

/** Workers end without a drain here. */
const LOST_CONNECTION = /WebSocket is already in CLOSING|WebSocket connection to .* failed/

let copy: ProductCopy
let rookery: RunningRookery
let browser: Chromium
let ann: Person

beforeAll(async () => {
  copy = await copyProduct()
  rookery = await startRookery({ main: copy.main, env: { WORKERS: '2', DRAIN_MS: '0' } })
  browser = await Chromium.start()
})
afterAll(async () => {
  await browser.stop()
  expect(await rookery.stop()).toBe(0)
  await copy.remove()
})

const named = (text: string) => text.replaceAll(/-[\w-]{8}\.(?=js|css|txt|svg)/g, '-NEXTNEXT.')

/** Gives each asset another name, like a build of another version. @returns the names before and after */
async function upgrade(): Promise<{ before: string[]; after: string[] }> {
  const assets = join(copy.page, 'assets')
  const before = await readdir(assets)
  for (const name of before) {
    const path = join(assets, name)
    if (/\.(js|css)$/.test(name)) await writeFile(path, named(await readFile(path, 'utf8')))
    // Only the originals are changed.
    if (/\.(br|gz)$/.test(name)) await rm(path)
    else await rename(path, join(assets, named(name)))
  }
  for (const name of await readdir(copy.page)) {
    const path = join(copy.page, name)
    if (name === 'index.html') await writeFile(path, named(await readFile(path, 'utf8')))
    else if (name !== 'assets') await rm(path)
  }
  return { before: before.filter((name) => !/\.(br|gz)$/.test(name)), after: await readdir(assets) }
}

async function expectAll(names: readonly string[]): Promise<void> {
  // Plain requests go to the workers in turn.
  for (const name of names.flatMap((each) => [each, each, each])) {
    const answer = await fetch(`${rookery.url}/assets/${name}`, { headers: { connection: 'close' } })
    expect([name, answer.status, answer.headers.get('cache-control')]).toEqual([
      name,
      200,
      'public, max-age=31536000, immutable',
    ])
    await answer.arrayBuffer()
  }
}

const emoji = () => ann.page.getByRole('listbox', { name: 'Emoji' })

it('while and after workers are replaced, each worker has the files of both versions', async () => {
  ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'versions' })
  ann.opened.expectProblems(LOST_CONNECTION)
  const { before, after } = await upgrade()
  expect(before.filter((name) => after.includes(name))).toEqual([])
  rookery.killWorker(0)
  await rookery.untilLog('worker ready', 3)
  await expectAll([...before, ...after])
  rookery.signal('SIGHUP')
  await rookery.untilLog('reload done')
  await expectAll([...before, ...after])
})

it('a page of the earlier version gets its emoji, and says so when they are gone', async () => {
  await ann.composer.waitFor()
  await ann.page.getByRole('button', { name: 'Emoji' }).click()
  await emoji().getByRole('option').first().waitFor()
  await browser.closePages()

  ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'versions' })
  await ann.opened.page.route('**/emoji-list-*', (route) => route.abort())
  ann.opened.expectProblems(/emoji-list|Failed to load resource/)
  ann.opened.expectProblems(LOST_CONNECTION)
  await ann.page.getByRole('button', { name: 'Emoji' }).click()
  await emoji().getByText('The emoji could not be loaded. Close this and try again.').waitFor()
  await ann.page.keyboard.press('Escape')
  await ann.opened.page.unroute('**/emoji-list-*')

  await rm(join(copy.page, 'assets', 'emoji-list-NEXTNEXT.txt'))
  await rm(join(rookery.dataDir, 'page-assets'), { recursive: true })
  rookery.signal('SIGHUP')
  await rookery.untilLog('reload done', 2)
  await ann.page.getByRole('button', { name: 'Emoji' }).click()
  await emoji()
    .getByText(/There is a newer version of this page/)
    .waitFor()
  await browser.closePages()
})
