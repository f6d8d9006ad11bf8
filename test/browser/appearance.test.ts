/** The page in its states: no serious axe-core violations, and a screenshot of each. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { seriousViolations } from '../harness/page/axe.ts'
import { HISTORY_SETTINGS, type HistoryMessage, publish, writeLog } from '../harness/page/history.ts'
import { untilAtRest } from '../harness/page/message-list.ts'
import { Chromium, type OpenPage } from '../harness/page/page.ts'
import { Person, type PersonOptions } from '../harness/page/person.ts'

const HOUR_MS = 3_600_000
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }
const TABLET = { viewport: { width: 820, height: 1180 }, hasTouch: true }

const amara = { id: 'amara', name: 'Amara Diallo' }
const jonas = { id: 'jonas', name: 'Jonas Weber' }
const mei = { id: 'mei', name: 'Mei Tanaka' }

const BUSY: HistoryMessage[] = [
  { from: amara, text: 'Good morning! What is left before we tag 2.4?' },
  { from: jonas, text: 'The changelog, and one test that fails on slow machines' },
  { from: mei, text: 'It waits for a file instead of the event:' },
  { from: mei, text: '```ts\nawait once(importer, "done")\nexpect(rows).toHaveLength(12)\n```' },
  { from: mei, text: 'With `once` it passed 500 times in a row 🎉' },
  { from: jonas, text: 'Lovely. See https://docs.example.org/2.4/importer for what changed' },
  { from: amara, text: '🦜' },
  { from: amara, text: 'A longer one, to see how lines are broken: '.repeat(8) },
].map((said, index) => ({ ...said, at: Date.now() - (30 - index * 2) * HOUR_MS }))

const ARABIC: HistoryMessage[] = [
  { from: { id: 'layla', name: 'ليلى' }, text: 'صباح الخير! متى نلتقي اليوم؟' },
  { from: { id: 'noa', name: 'נועה' }, text: 'אפשר אחרי הצהריים, ב-15:30?' },
  { from: mei, text: 'An English answer between them (with brackets).' },
  { from: { id: 'layla', name: 'ليلى' }, text: 'ممتاز، الرابط هنا https://example.org/meet' },
]

let dataDir: string
let rookery: RunningRookery
let browser: Chromium

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rookery-looks-'))
  await writeLog(dataDir, 'busy', BUSY)
  await writeLog(dataDir, 'rtl', ARABIC)
  rookery = await startRookery({ env: { ...HISTORY_SETTINGS, DATA_DIR: dataDir } })
  browser = await Chromium.start()
})
afterEach(() => browser.closePages())
afterAll(async () => {
  await browser.stop()
  expect(await rookery.stop()).toBe(0)
  await rm(dataDir, { recursive: true })
})

async function checkAppearance(opened: OpenPage, picture: string): Promise<void> {
  await opened.screenshot(picture)
  expect(await seriousViolations(opened.page)).toEqual([])
}

async function boxOf(
  locator: Locator,
): Promise<{ top: number; bottom: number; left: number; right: number }> {
  const box = await locator.boundingBox()
  if (box === null) throw new Error('it is not in the page')
  const { x, y, width, height } = box
  return { top: y, bottom: y + height, left: x, right: x + width }
}

function enter(options: Partial<PersonOptions> = {}): Promise<Person> {
  return Person.enter(browser, { url: rookery.url, name: 'Sam', ...options })
}

/** Sam in the busy room. */
async function busy(options: Partial<PersonOptions> = {}): Promise<Person> {
  const sam = await enter({ room: 'busy', ...options })
  await sam.sees('🦜')
  return sam
}

it('the sign-in page', async () => {
  const opened = await browser.openPage({ url: rookery.url })
  await opened.page.getByRole('button', { name: 'Enter' }).waitFor()
  await checkAppearance(opened, 'welcome')
  const dark = await browser.openPage({ url: rookery.url, colorScheme: 'dark' })
  await dark.page.getByRole('button', { name: 'Enter' }).waitFor()
  await checkAppearance(dark, 'welcome-dark')
})

it('an empty room', async () => {
  const sam = await enter()
  await sam.page.getByText('No messages in').waitFor()
  await checkAppearance(sam.opened, 'empty')
})

it('a busy room, with people in it and unread messages elsewhere', async () => {
  const sam = await busy()
  const others = await Promise.all(['Amara', 'Jonas', 'Mei'].map((name) => enter({ name, room: 'busy' })))
  const [someone] = others
  if (someone === undefined) throw new Error('nobody is there')
  await sam.goTo('elsewhere')
  await sam.goTo('busy')
  await publish(rookery.url, 'elsewhere', [{ from: mei, text: '@Sam have a look' }])
  await expect.poll(() => sam.line('elsewhere').textContent()).toMatch(/1 for you, 1 unread/)
  await sam.say('I run the upgrade once more on staging')
  await someone.sees('I run the upgrade once more on staging')
  await someone.writesUntil(() => sam.page.getByText('Amara is typing…').isVisible())
  await checkAppearance(sam.opened, 'busy')
})

describe('in dark mode', () => {
  it('the conversation', async () => {
    const sam = await busy({ colorScheme: 'dark' })
    await sam.say('In the dark')
    await sam.sees('In the dark')
    await checkAppearance(sam.opened, 'dark')
  })

  it("is chosen against the system's setting, and kept", async () => {
    const sam = await busy()
    const colour = () => sam.page.evaluate<string>('getComputedStyle(document.body).color')
    const light = await colour()
    await sam.page.getByRole('button', { name: 'You: Sam' }).click()
    await sam.page.getByRole('menuitemradio', { name: 'Dark' }).click()
    await expect.poll(colour).not.toBe(light)
    const dark = await colour()
    await sam.page.reload()
    await sam.composer.waitFor()
    expect(await colour()).toBe(dark)
  })
})

describe('on a phone', () => {
  it('one view at a time: the list, or the conversation', async () => {
    const sam = await busy(PHONE)
    await checkAppearance(sam.opened, 'phone-conversation')
    await sam.page.getByRole('button', { name: 'Back to your rooms' }).tap()
    await sam.line('busy').waitFor()
    expect(await sam.composer.isVisible()).toBe(false)
    await checkAppearance(sam.opened, 'phone-list')
    await sam.line('busy').tap()
    await sam.sees('🦜')
    await sam.composer.fill('from a phone')
    await sam.page.getByRole('button', { name: 'Send' }).tap()
    await sam.sees('from a phone')
    const widths = await sam.page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]')
    expect(widths[0]).toBe(widths[1])
  })

  it('the people of the room in a sheet', async () => {
    const sam = await busy(PHONE)
    await sam.page.getByRole('button', { name: /^People in this room/ }).tap()
    await sam.page.getByRole('dialog', { name: 'In this room' }).waitFor()
    await checkAppearance(sam.opened, 'phone-members')
    await sam.page.getByRole('button', { name: 'Close' }).tap()
    await sam.page.getByRole('dialog').waitFor({ state: 'detached' })
  })
})

it('on a tablet', async () => {
  const sam = await busy(TABLET)
  await checkAppearance(sam.opened, 'tablet')
  await sam.page.getByRole('button', { name: /^People in this room/ }).tap()
  await sam.page.getByRole('dialog', { name: 'In this room' }).waitFor()
  await checkAppearance(sam.opened, 'members')
})

it('a dialog over the conversation', async () => {
  const sam = await busy()
  await sam.page.getByRole('button', { name: 'You: Sam' }).click()
  await sam.page.getByRole('menuitem', { name: 'Connect your own client…' }).click()
  await sam.page.getByRole('dialog', { name: 'Connect your own client' }).waitFor()
  await checkAppearance(sam.opened, 'dialog')
})

it('a message with a mention is aligned in its highlight, and its menu beside it', async () => {
  const sam = await busy()
  await publish(rookery.url, 'mentions', [{ from: mei, text: '@Sam have a look' }])
  await sam.goTo('mentions')
  const message = sam.message('@Sam have a look')
  await message.waitFor()
  await untilAtRest(sam)
  const band = await boxOf(message)
  const body = await boxOf(message.locator('.message-body'))
  const line = await boxOf(sam.page.locator('.typing-line'))
  expect(Math.abs(body.top - band.top - (band.bottom - body.bottom))).toBeLessThanOrEqual(2)
  expect(line.top - band.bottom).toBeGreaterThanOrEqual(8)

  await message.hover()
  await message.getByRole('button', { name: 'More' }).click()
  const menu = sam.page.getByRole('menu', { name: 'Message of Mei Tanaka' })
  await menu.waitFor()
  const beside = await boxOf(menu)
  const button = await boxOf(message.getByRole('button', { name: 'More' }))
  const gap = Math.max(beside.top - button.bottom, button.top - beside.bottom)
  expect(gap).toBeGreaterThanOrEqual(0)
  expect(gap).toBeLessThanOrEqual(8)
  expect(Math.abs(beside.right - button.right)).toBeLessThanOrEqual(8)
  expect(beside.left).toBeGreaterThanOrEqual(band.left)
  expect(beside.right).toBeLessThanOrEqual(band.right)
  await checkAppearance(sam.opened, 'mention-menu')
})

it('right-to-left text is shown in its direction', async () => {
  const sam = await enter({ room: 'rtl' })
  await sam.sees('صباح الخير! متى نلتقي اليوم؟')
  const directions = await sam.page.evaluate<string[]>(
    "[...document.querySelectorAll('.message-text')].map((text) => getComputedStyle(text).direction)",
  )
  expect(directions).toEqual(['rtl', 'rtl', 'ltr', 'rtl'])
  await checkAppearance(sam.opened, 'rtl')
})

it('nothing moves for users who prefer reduced motion', async () => {
  const sam = await busy({ reducedMotion: 'reduce' })
  await sam.say('quiet')
  await sam.sees('quiet')
  await sam.page.getByRole('button', { name: 'You: Sam' }).click()
  // Without its delay: what waits unseen for 700 ms and then is there does not move.
  const lasting = await sam.page.evaluate<string[]>(
    'document.getAnimations().filter((each) => Number(each.effect.getComputedTiming().activeDuration) > 50).map((each) => each.animationName ?? each.transitionProperty)',
  )
  expect(lasting).toEqual([])
})
