/** Several tabs of one user, and what a browser may do to a tab in the background. */
import type { BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Network } from '../harness/network/proxy.ts'
import { HISTORY_SETTINGS, publish, sampleMessages } from '../harness/page/history.ts'
import { untilAtRest } from '../harness/page/message-list.ts'
import { Chromium, LOST_NETWORK } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

let rookery: RunningRookery
let network: Network
let browser: Chromium

beforeAll(async () => {
  rookery = await startRookery({ env: { ...HISTORY_SETTINGS, WORKERS: '1' } })
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
})

/** Another tab of somebody who has signed in. */
async function openTab(name: string, room: string, context: BrowserContext): Promise<Person> {
  const person = new Person(name, await browser.openPage({ url: `${rookery.url}/#/room/${room}`, context }))
  await person.composer.waitFor()
  return person
}

it('tabs of one user agree on rooms, unread messages, the name and being signed in', async () => {
  const context = await browser.newContext()
  const one = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'first', context })
  const two = await openTab('Ann', 'first', context)
  await one.goTo('joined')
  await two.line('joined').waitFor()
  await one.goTo('first')
  await publish(
    rookery.url,
    'joined',
    sampleMessages(2, (index) => `news ${index}`),
  )
  await expect.poll(() => two.line('joined').textContent()).toMatch(/2 unread/)

  await one.line('joined').click()
  await one.heading('joined').waitFor()
  await one.page.getByRole('main').getByRole('button', { name: 'More for #joined' }).click()
  await one.page.getByRole('menuitem', { name: 'Leave room…' }).click()
  await one.page.getByRole('button', { name: 'Leave', exact: true }).click()
  await two.line('joined').waitFor({ state: 'detached' })

  await one.page.getByRole('button', { name: 'You: Ann' }).click()
  await one.page.getByRole('menuitem', { name: 'Change name…' }).click()
  await one.nameField.fill('Ann Other')
  await one.nameField.press('Enter')
  await two.page.getByRole('button', { name: 'You: Ann Other' }).waitFor()

  await one.page.getByRole('button', { name: 'You: Ann Other' }).click()
  await one.page.getByRole('menuitem', { name: 'Sign out…' }).click()
  await one.page.getByRole('button', { name: 'Forget me and sign out' }).click()
  await two.page.getByRole('heading', { name: 'Welcome to Rookery', level: 1 }).waitFor()
})

it('what was read in another tab is no longer announced as new', async () => {
  const context = await browser.newContext()
  await publish(
    rookery.url,
    'pill',
    sampleMessages(60, (index) => `message ${index}`),
  )
  const one = await Person.enter(browser, { url: rookery.url, name: 'Bob', room: 'pill', context })
  await one.sees('message 60')
  await untilAtRest(one)
  await one.log.hover()
  await one.page.mouse.wheel(0, -900)
  await one.page.getByRole('button', { name: 'Jump to newest' }).waitFor()
  await publish(rookery.url, 'pill', [{ from: { id: 'eve', name: 'Eve' }, text: 'a new one' }])
  await one.page.getByRole('button', { name: '1 new message' }).waitFor()
  const two = await openTab('Bob', 'pill', context)
  await two.page.bringToFront()
  await two.sees('a new one')
  await one.page.getByRole('button', { name: 'Jump to newest' }).waitFor()
})

/** Counts notifications; this tab thinks that it is hidden, if its address says so. */
const NOTIFICATIONS = `(() => {
  window.notified = []
  window.Notification = class extends EventTarget {
    static permission = 'granted'
    static requestPermission = async () => 'granted'
    constructor(title, { body }) {
      super()
      window.notified.push([title, body])
    }
    close() {}
  }
  localStorage.setItem('rookery:notifications', 'on')
  if (!location.hash.includes('hidden')) return
  Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })
  Object.defineProperty(document, 'hidden', { get: () => true })
})()`

function mention(text: string): Promise<void> {
  const from = { id: `eve-${text.length}`, name: 'Eve' }
  return publish(rookery.url, 'hidden', [{ from, text: `@Cleo ${text}` }])
}

it('a hidden tab notifies only if the user is not looking at another', async () => {
  const context = await browser.newContext()
  await context.addInitScript(NOTIFICATIONS)
  const hidden = await Person.enter(browser, { url: rookery.url, name: 'Cleo', room: 'hidden', context })
  const visible = await openTab('Cleo', 'visible', context)
  const notified = () => hidden.page.evaluate<[string, string][]>('window.notified')
  await mention('first')
  await hidden.page.getByText('@Cleo first').first().waitFor()
  await visible.page.close()
  // Each character of the text has two parts.
  await mention('😀'.repeat(200))
  await expect.poll(async () => (await notified()).length).toBe(1)
  const [[title, body] = ['', '']] = await notified()
  expect(title).toBe('Eve in #hidden')
  expect(body).toMatch(/^@Cleo 😀+…$/u)
})

it('a sign-in link in an open tab signs in, and its token leaves the address', async () => {
  const ann = await Person.enter(browser, { url: rookery.url, name: 'Dora', room: 'token' })
  await ann.page.evaluate("location.hash = '#token=some-token'")
  await ann.page.getByText('This server does not use tokens').waitFor()
  expect(ann.page.url()).not.toContain('some-token')
})

/** As browsers do to pages in the background: what was opened before is dead, and what it held is gone. */
const LOSE_DATABASES = `(async () => {
  const { transaction } = IDBDatabase.prototype
  const living = new WeakSet()
  const { open } = IDBFactory.prototype
  IDBFactory.prototype.open = function (...args) {
    const request = open.apply(this, args)
    request.addEventListener('success', () => living.add(request.result))
    return request
  }
  IDBDatabase.prototype.transaction = function (...args) {
    if (living.has(this)) return transaction.apply(this, args)
    this.close()
    throw new DOMException('The database connection is closing.', 'InvalidStateError')
  }
})()`

it('messages that wait are stored again when the browser has lost its database', async () => {
  const ann = await Person.enter(browser, { url: network.url, name: 'Ada', room: 'lost' })
  ann.opened.expectProblems(LOST_NETWORK)
  await ann.say('before')
  await ann.sees('before')
  await ann.log.getByText(/Sending|Waiting/).waitFor({ state: 'detached' })
  network.loseAnswers()
  await ann.page.evaluate(LOSE_DATABASES)
  await ann.say('kept all the same')
  await ann
    .message('kept all the same')
    .getByText(/Sending|Waiting/)
    .waitFor()
  await expect.poll(() => ann.page.evaluate<number>(STORED)).toBe(1)
  expect(await ann.page.getByText(/can’t store unsent/).count()).toBe(0)
})

/** The number of messages in the page's databases. */
const STORED = `(async () => {
  let stored = 0
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve) => {
      const request = indexedDB.open(name)
      request.onsuccess = () => resolve(request.result)
    })
    stored += await new Promise((resolve) => {
      const request = database.transaction('pending').objectStore('pending').count()
      request.onsuccess = () => resolve(request.result)
    })
    database.close()
  }
  return stored
})()`
