/** What the page tells its user, and that it does so calmly: unread messages, interruptions, and the list of rooms. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { HISTORY_SETTINGS, publish, sampleMessages } from '../harness/page/history.ts'
import { visibleTexts } from '../harness/page/message-list.ts'
import { Chromium, LOST_NETWORK } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

let rookery: RunningRookery
let browser: Chromium

beforeAll(async () => {
  rookery = await startRookery({ env: HISTORY_SETTINGS })
  browser = await Chromium.start()
})
afterEach(() => browser.closePages())
afterAll(async () => {
  await browser.stop()
  expect(await rookery.stop()).toBe(0)
})

function enter(name: string, room: string): Promise<Person> {
  return Person.enter(browser, { url: rookery.url, name, room })
}

function addressOf(room: string): string {
  return new URL(`#/room/${room}`, rookery.url).href
}

it('a room with 100 unread messages opens at the first of them, and only what is visible is read', async () => {
  const said = sampleMessages(120, (index) => `message ${index}`)
  await publish(rookery.url, 'many', said.slice(0, 20))
  const ann = await enter('Ann', 'many')
  await ann.sees('message 20')
  await ann.goTo('elsewhere')
  await ann.page.goto('about:blank')
  await publish(
    rookery.url,
    'many',
    said.slice(20).map((message) => ({ ...message, from: { id: 'eve', name: 'Eve' } })),
  )
  await ann.page.goto(addressOf('many'))
  await ann.page.getByText('New messages', { exact: true }).waitFor()
  await expect.poll(async () => [...(await visibleTexts(ann)).keys()].includes('message 21')).toBe(true)
  const visible = [...(await visibleTexts(ann)).keys()]
  expect(visible.length).toBeLessThan(50)
  const last = Number(visible.at(-1)?.split(' ')[1])
  // Rows move a little while they are measured: one or two more may have been visible.
  const unread = async () => Number(/(\d+) unread/.exec((await ann.line('many').textContent()) ?? '')?.[1])
  await expect.poll(unread).toBeLessThanOrEqual(120 - last + 1)
  expect(await unread()).toBeGreaterThan(120 - last - 5)

  await ann.page.getByRole('button', { name: /new messages/ }).click()
  await expect.poll(() => ann.line('many').textContent()).not.toMatch(/unread/)
})

/** The answer while no worker is ready. */
const NO_WORKER = /answer: (400|503) of .*\/socket\.io\//
/** Every text that these parts of the page show from now on. */
const RECORD = `(() => {
  const parts = ['.room-about', '.people-button', '.members-count', '.me-state', '.room-list + .room-list', '.members-list']
  window.shown = Object.fromEntries(parts.map((part) => [part, []]))
  const look = () => {
    for (const part of parts) {
      const text = document.querySelector(part)?.textContent
      if (!window.shown[part].includes(text)) window.shown[part].push(text)
    }
  }
  look()
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true })
})()`
/** The time after which an interruption is shown never ends, so that the test does not depend on the machine. */
const INTERRUPTIONS_ARE_SHORT = `(() => {
  const start = window.setTimeout
  window.setTimeout = (run, ms, ...more) => start(run, ms === 1500 ? 2 ** 30 : ms, ...more)
})()`

function opensWebSocket(page: Page): Promise<unknown> {
  return page.waitForEvent('websocket')
}

it('the death of a worker changes nothing in what is shown', async () => {
  const context = await browser.newContext()
  await context.addInitScript(INTERRUPTIONS_ARE_SHORT)
  const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'calm', context })
  const ben = await enter('Ben', 'calm')
  for (const { opened } of [ann, ben]) {
    opened.expectProblems(LOST_NETWORK)
    opened.expectProblems(NO_WORKER)
  }
  await ann.page.getByRole('complementary').getByRole('button', { name: 'Ben' }).click()
  await ann.heading('Ben').waitFor()
  await ann.line('calm').click()
  await ann.page.getByRole('button', { name: 'People in this room: 2' }).waitFor()
  await ann.page.getByText('2 people here').waitFor()
  await expect.poll(() => ann.line('Ben').textContent()).toContain('online')

  await ann.page.evaluate(RECORD)
  const again = Promise.all([ann, ben].map(({ page }) => opensWebSocket(page)))
  for (const index of [0, 1]) rookery.killWorker(index)
  await again
  await ben.say('Still here')
  await ann.sees('Still here')
  await ann.say('So am I')
  await ben.sees('So am I')
  await ann.log.getByText(/Sending|Waiting/).waitFor({ state: 'detached' })
  const shown = await ann.page.evaluate<Record<string, string[]>>('window.shown')
  expect(Object.values(shown).map((texts) => texts.length)).toEqual(Object.keys(shown).map(() => 1))
  expect(Object.keys(shown)).toHaveLength(6)
})

it('in a long list the room that is opened stays where it is', async () => {
  const ann = await enter('Ann', 'list-00')
  for (let index = 1; index <= 30; index += 1) {
    await ann.page.evaluate(`location.hash = '#/room/list-${String(index).padStart(2, '0')}'`)
    await ann.line(`list-${String(index).padStart(2, '0')}`).waitFor()
  }
  await ann.goTo('list-00')
  await ann.page.evaluate(`location.reload()`)
  await ann.line('list-30').waitFor()
  await publish(rookery.url, 'list-30', [{ from: { id: 'eve', name: 'Eve' }, text: 'news' }])
  await publish(rookery.url, 'list-29', [{ from: { id: 'eve', name: 'Eve' }, text: 'news' }])
  const place = async (title: string) => (await ann.line(title).boundingBox())?.y
  await expect.poll(() => ann.line('list-30').textContent()).toMatch(/1 unread/)
  await expect.poll(() => ann.line('list-29').textContent()).toMatch(/1 unread/)
  for (const title of ['list-30', 'list-29']) {
    const before = await place(title)
    await ann.line(title).click()
    await ann.sees('news')
    await expect.poll(() => ann.line(title).textContent()).not.toMatch(/unread/)
    expect(await place(title)).toBe(before)
  }
})
