/** Rooms in which much was said: scrolled through, and never more in the page than is seen. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster.ts'
import { Chromium } from '../harness/page.ts'
import { chatter, HISTORY_SETTINGS, publish, writeLog } from '../harness/page-history.ts'
import { Person } from '../harness/page-person.ts'

const MANY = 10_000
/** More than a client keeps of a room whose older messages nobody reads. */
const PAST_WINDOW = 1_500
/** Of the whole page, whatever the room holds. */
const NODES_MAX = 3_000

/** Looked at when the list has been still for some frames. */
const FIRST_IN_SIGHT = `new Promise((resolve) => {
  const log = document.querySelector('[role=log]')
  let still = 0
  let before = log.scrollTop
  const look = () => {
    still = log.scrollTop === before ? still + 1 : 0
    before = log.scrollTop
    if (still < 10) return requestAnimationFrame(look)
    const { top } = log.getBoundingClientRect()
    const seen = [...log.querySelectorAll('article')].find((each) => each.getBoundingClientRect().bottom > top)
    resolve(seen?.querySelector('.message-text')?.textContent)
  }
  look()
})`

let dataDir: string
let rookery: RunningRookery
let browser: Chromium

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rookery-long-'))
  await writeLog(
    dataDir,
    'huge',
    chatter(MANY, (index) => `message ${index}`),
  )
  await writeLog(
    dataDir,
    'read',
    chatter(PAST_WINDOW, (index) => `message ${index}`),
  )
  rookery = await startRookery({ env: { ...HISTORY_SETTINGS, DATA_DIR: dataDir } })
  browser = await Chromium.start()
})
afterEach(() => browser.closePages())
afterAll(async () => {
  await browser.stop()
  expect(await rookery.stop()).toBe(0)
  await rm(dataDir, { recursive: true })
})

/** Of many heights. */
function text(index: number): string {
  return `message ${index}${' and so on'.repeat((index * 7) % 40)}`
}

async function top(locator: Locator): Promise<number> {
  const box = await locator.boundingBox()
  if (box === null) throw new Error('it is not in the page')
  return box.y
}

function scrollHeight(person: Person): Promise<number> {
  return person.log.evaluate((log) => log.scrollHeight)
}

function scrollTo(person: Person, to: number): Promise<void> {
  return person.log.evaluate((log, place) => log.scrollTo({ top: place }), to)
}

/** All that is older is loaded on the way. */
async function toBeginning(person: Person, looked = async () => {}): Promise<void> {
  await expect
    .poll(
      async () => {
        await scrollTo(person, 0)
        await looked()
        return person.page.getByText('This is the beginning of').count()
      },
      { timeout: 200_000 },
    )
    .toBe(1)
  // The list may still be putting the last page in its place.
  await expect
    .poll(async () => {
      await scrollTo(person, 0)
      return person.page.evaluate(FIRST_IN_SIGHT)
    })
    .toBe('message 1')
}

/** There are messages where one looks, and no hole. */
function inSight(person: Person): Promise<boolean> {
  return person.log.evaluate((log) => {
    const { left, top: from, width, height } = log.getBoundingClientRect()
    return [0.3, 0.4, 0.5, 0.6, 0.7].some((share) => {
      const there = log.ownerDocument.elementFromPoint(left + width / 2, from + height * share)
      return there !== null && there.closest('article') !== null
    })
  })
}

it('older messages are fetched by scrolling up, and what is read stays where it is', async () => {
  await publish(rookery.url, 'long', chatter(320, text))
  const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'long' })
  await ann.sees(text(320))
  const fetches: number[] = []
  for (;;) {
    const before = await scrollHeight(ann)
    // To a place where older ones are asked for, with one message to watch in sight.
    await scrollTo(ann, 300)
    const watched = ann.messages.nth(Math.floor((await ann.messages.count()) / 3))
    const label = (await watched.locator('.message-text').textContent()) ?? ''
    const anchor = ann.message(label)
    const place = await top(anchor)
    await expect
      .poll(
        async () =>
          (await scrollHeight(ann)) > before ||
          (await ann.page.getByText('This is the beginning of').count()) > 0,
      )
      .toBe(true)
    if ((await scrollHeight(ann)) === before) break
    fetches.push(before)
    await expect.poll(async () => Math.abs((await top(anchor)) - place)).toBeLessThan(3)
  }
  expect(fetches.length).toBeGreaterThan(1)
  await scrollTo(ann, 0)
  await ann.sees(text(1))

  await ann.page.getByRole('button', { name: 'Jump to newest' }).click()
  await ann.sees(text(320))
  await ann.page.getByRole('button', { name: 'Jump to newest' }).waitFor({ state: 'detached' })
})

it(`at the beginning of ${PAST_WINDOW} messages nothing moves when somebody writes`, async () => {
  const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'read' })
  await ann.messages.first().waitFor()
  await toBeginning(ann)
  const place = await top(ann.message('message 1'))
  for (const [index, words] of ['one', 'two', 'three'].entries()) {
    await publish(rookery.url, 'read', [{ from: { id: `eve-${index}`, name: 'Eve' }, text: words }])
    await ann.page.getByRole('button', { name: `${index + 1} new message` }).waitFor()
    expect(await ann.page.evaluate(FIRST_IN_SIGHT)).toBe('message 1')
    expect(Math.abs((await top(ann.message('message 1'))) - place)).toBeLessThan(3)
  }
  await ann.page.getByText('This is the beginning of').waitFor()
})

it(`${MANY} messages: scrolled through to the first, with few elements in the page`, async () => {
  const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'huge' })
  await ann.messages.first().waitFor()
  let most = 0
  const count = async () => {
    most = Math.max(most, await ann.page.locator('*').count())
  }
  await toBeginning(ann, count)
  expect(await scrollHeight(ann)).toBeGreaterThan(MANY * 20)

  // Something new is told of, and does not move what is read.
  const height = await scrollHeight(ann)
  await scrollTo(ann, height / 2)
  const seen = (await ann.page.evaluate<string | undefined>(FIRST_IN_SIGHT)) ?? ''
  const place = await top(ann.message(seen))
  await publish(rookery.url, 'huge', [{ from: { id: 'eve', name: 'Eve' }, text: 'a new one' }])
  await ann.page.getByRole('button', { name: '1 new message' }).waitFor()
  expect(await ann.page.evaluate(FIRST_IN_SIGHT)).toBe(seen)
  expect(Math.abs((await top(ann.message(seen))) - place)).toBeLessThan(3)

  for (let step = 1; step < 20; step += 1) {
    await scrollTo(ann, (height * step) / 20)
    await expect.poll(() => inSight(ann)).toBe(true)
    await count()
  }
  expect(most).toBeLessThan(NODES_MAX)
  await ann.page.getByRole('button', { name: '1 new message' }).click()
  await ann.sees('a new one')
}, 300_000)
