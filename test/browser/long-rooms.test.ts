/** Rooms with many messages: scrolling through them, with few elements in the page at any time. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { withTimeout } from '../../src/core/with-timeout.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { sized } from '../harness/long-run.ts'
import { Network } from '../harness/network/proxy.ts'
import { HISTORY_SETTINGS, publish, sampleMessages, writeLog } from '../harness/page/history.ts'
import { movedBetween, untilAtRest, type VisibleTexts, visibleTexts } from '../harness/page/message-list.ts'
import { Chromium, LOST_NETWORK } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

const MANY = sized(2_500, 10_000)
/** More than a client keeps in memory while older messages are not read. */
const PAST_WINDOW = 1_500
/** The limit for the whole page, however large the room is. */
const NODES_MAX = 3_000

/** Deadline for one page of older messages. */
const STUCK_MS = 100_000
/** Deadline for all pages together; depends on the machine. */
const ALL_PAGES_MS = 900_000

interface Climb {
  /** Sequence number of the first message in the page. */
  oldest: number
  /** The largest number of elements in the page during the scroll. */
  elements: number
}

/**
 * Scrolls to the top in each frame until something older is loaded, and retries failed loads, as a reader
 * would.
 */
const SCROLL_TO_BEGINNING = `new Promise((resolve) => {
  const log = document.querySelector('[role=log]')
  const oldest = () => Number(log.querySelector('[data-seq]')?.dataset.seq ?? Infinity)
  const before = oldest()
  let elements = 0
  const look = () => {
    elements = Math.max(elements, document.querySelectorAll('*').length)
    const now = oldest()
    if (now === 1 || now < before) return resolve({ oldest: now, elements })
    log.scrollTo({ top: 0 })
    log.querySelector('.older-row button')?.click()
    requestAnimationFrame(look)
  }
  look()
})`

let dataDir: string
let rookery: RunningRookery
let network: Network
let browser: Chromium

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rookery-long-'))
  await writeLog(dataDir, 'long', sampleMessages(320, text))
  await writeLog(
    dataDir,
    'huge',
    sampleMessages(MANY, (index) => `message ${index}`),
  )
  await writeLog(
    dataDir,
    'read',
    sampleMessages(PAST_WINDOW, (index) => `message ${index}`),
  )
  rookery = await startRookery({ env: { ...HISTORY_SETTINGS, DATA_DIR: dataDir } })
  network = await Network.to(rookery.port)
  browser = await Chromium.start()
})
afterEach(async () => {
  network.mend()
  await browser.closePages()
})
afterAll(async () => {
  await browser.stop()
  await network.close()
  expect(await rookery.stop()).toBe(0)
  await rm(dataDir, { recursive: true })
})

/** A text whose height varies with its index. */
function text(index: number): string {
  return `message ${index}${' and so on'.repeat((index * 7) % 40)}`
}

function scrollHeight(person: Person): Promise<number> {
  return person.log.evaluate((log) => log.scrollHeight)
}

function scrollTo(person: Person, to: number): Promise<void> {
  return person.log.evaluate((log, place) => log.scrollTo({ top: place }), to)
}

function elements(person: Person): Promise<number> {
  return person.page.evaluate("document.querySelectorAll('*').length")
}

function first(sight: VisibleTexts): string | undefined {
  return sight.keys().next().value
}

/**
 * Resolves when the page counts no message as new. It does so from when it knows how far the user has read, which can be
 * after the messages are shown: whoever scrolls away before that has not seen the newest ones.
 */
async function seesNewest(person: Person): Promise<void> {
  await expect
    .poll(async () => {
      const height = await scrollHeight(person)
      await scrollTo(person, height)
      await untilAtRest(person)
      await scrollTo(person, height - 1_500)
      await untilAtRest(person)
      return person.page.getByRole('button', { name: 'Jump to newest' }).isVisible()
    })
    .toBe(true)
}

/** Loads all older messages while it scrolls. @returns the largest number of elements in the page */
async function toBeginning(person: Person): Promise<number> {
  await seesNewest(person)
  let most = 0
  for (let oldest = Number.POSITIVE_INFINITY; oldest > 1; ) {
    const climb = await withTimeout(STUCK_MS, person.page.evaluate<Climb>(SCROLL_TO_BEGINNING), () => {
      throw new Error(`nothing older comes than what was there: ${oldest}`)
    })
    oldest = climb.oldest
    most = Math.max(most, climb.elements)
  }
  // The rows of the last page shift each other while they are measured.
  await expect
    .poll(async () => {
      await scrollTo(person, 0)
      return first(await visibleTexts(person))
    })
    .toBe('message 1')
  await person.page.getByText('This is the beginning of').waitFor()
  return most
}

/** Asks for older messages without waiting for the result. */
async function asksForOlder(person: Person): Promise<void> {
  await person.log.getByText(/older messages/i).waitFor()
}

/** By a new author: a second message of the same author with the same id would be a duplicate. */
async function publishOne(room: string, words: string): Promise<void> {
  await publish(rookery.url, room, [{ from: { id: `eve-${randomUUID()}`, name: 'Eve' }, text: words }])
}

/** Whether the visible part shows messages without a gap. */
function hasVisibleMessages(person: Person): Promise<boolean> {
  return person.log.evaluate((log) => {
    const { left, top: from, width, height } = log.getBoundingClientRect()
    return [0.3, 0.4, 0.5, 0.6, 0.7].some((share) => {
      const there = log.ownerDocument.elementFromPoint(left + width / 2, from + height * share)
      return there !== null && there.closest('article') !== null
    })
  })
}

it('older messages are fetched by scrolling up, and visible messages do not move', async () => {
  const ann = await Person.enter(browser, { url: network.url, name: 'Ann', room: 'long' })
  // On a slow machine the connection may time out while nothing gets through.
  ann.opened.expectProblems(LOST_NETWORK)
  await ann.sees(text(320))
  await untilAtRest(ann)
  let fetches = 0
  for (;;) {
    // Holds the answers until the positions have been measured.
    network.holdAnswers()
    await scrollTo(ann, 300)
    const before = await visibleTexts(ann)
    const height = await scrollHeight(ann)
    if ((await ann.page.getByText('This is the beginning of').count()) > 0) break
    await asksForOlder(ann)
    expect(before.size).toBeGreaterThan(3)
    network.mend()
    await expect.poll(() => scrollHeight(ann)).toBeGreaterThan(height)
    fetches += 1
    const after = await visibleTexts(ann)
    expect(movedBetween(before, after), JSON.stringify([...before, '->', ...after])).toBeLessThan(3)
  }
  network.mend()
  expect(fetches).toBeGreaterThan(1)
  await scrollTo(ann, 0)
  await ann.sees(text(1))

  await ann.page.getByRole('button', { name: 'Jump to newest' }).click()
  await ann.sees(text(320))
  await ann.page.getByRole('button', { name: 'Jump to newest' }).waitFor({ state: 'detached' })
})

it('older messages that failed to load are loaded when the connection is back', async () => {
  const ann = await Person.enter(browser, { url: network.url, name: 'Ann', room: 'read' })
  ann.opened.expectProblems(LOST_NETWORK)
  await ann.messages.first().waitFor()
  await untilAtRest(ann)
  // She must have scrolled up before the page shows that she is offline, which moves everything.
  network.holdAnswers()
  await scrollTo(ann, 0)
  await asksForOlder(ann)
  network.cut()
  await ann.page.getByText('Could not load older messages').waitFor()
  const before = await visibleTexts(ann)
  const height = await scrollHeight(ann)
  network.mend()
  await expect.poll(() => scrollHeight(ann)).toBeGreaterThan(height)
  expect(movedBetween(before, await visibleTexts(ann))).toBeLessThan(3)
})

it(
  `at the beginning of ${PAST_WINDOW} messages nothing moves when a message arrives`,
  async () => {
    const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'read' })
    await ann.messages.first().waitFor()
    await toBeginning(ann)
    const before = await visibleTexts(ann)
    for (const [index, words] of ['one', 'two', 'three'].entries()) {
      await publishOne('read', words)
      await ann.page.getByRole('button', { name: `${index + 1} new message` }).waitFor()
      const sight = await visibleTexts(ann)
      expect(first(sight)).toBe('message 1')
      expect(movedBetween(before, sight)).toBeLessThan(3)
    }
    await ann.page.getByText('This is the beginning of').waitFor()
  },
  ALL_PAGES_MS,
)

it(
  `${MANY} messages: scrolling to the first keeps few elements in the page`,
  async () => {
    const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'huge' })
    await ann.messages.first().waitFor()
    let most = await toBeginning(ann)
    const height = await scrollHeight(ann)
    expect(height).toBeGreaterThan(MANY * 20)

    // A new message is announced and does not move what is being read.
    await scrollTo(ann, height / 2)
    const before = await visibleTexts(ann)
    await publishOne('huge', 'a new one')
    await ann.page.getByRole('button', { name: '1 new message' }).waitFor()
    const after = await visibleTexts(ann)
    expect(first(after)).toBe(first(before))
    expect(movedBetween(before, after)).toBeLessThan(3)

    for (let step = 1; step < 20; step += 1) {
      await scrollTo(ann, (height * step) / 20)
      await expect.poll(() => hasVisibleMessages(ann)).toBe(true)
      most = Math.max(most, await elements(ann))
    }
    expect(most).toBeLessThan(NODES_MAX)
    await ann.page.getByRole('button', { name: '1 new message' }).click()
    await ann.sees('a new one')
  },
  ALL_PAGES_MS,
)
