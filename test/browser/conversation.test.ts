/** Conversations between people with a browser each, over networks that can be cut. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Network } from '../harness/network/proxy.ts'
import { untilAtRest } from '../harness/page/message-list.ts'
import { Chromium, LOST_NETWORK } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

let rookery: RunningRookery
let browser: Chromium
let network: Network

beforeAll(async () => {
  rookery = await startRookery()
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

function enter(name: string, room: string, url = rookery.url): Promise<Person> {
  return Person.enter(browser, { url, name, room })
}

async function showsJust(person: Person, expected: readonly string[]): Promise<void> {
  await expect.poll(() => person.texts()).toEqual(expected)
}

it("two people talk: each sees both messages once, with the author's name", async () => {
  const [ann, ben] = await Promise.all([enter('Ann', 'talk'), enter('Ben', 'talk')])
  await ann.say('Hello Ben')
  await ben.sees('Hello Ben')
  await ben.say('Hello Ann')
  for (const person of [ann, ben]) await showsJust(person, ['Hello Ben', 'Hello Ann'])
  const heard = ann.message('Hello Ann')
  expect(await heard.getAttribute('aria-label')).toMatch(/^Ben, /)
  await heard.getByText('Ben', { exact: true }).waitFor()
  expect(await ann.message('Hello Ben').getAttribute('aria-label')).toMatch(/^You, /)
  await ann.page.getByRole('button', { name: 'People in this room: 2' }).waitFor()
})

it('a person who is typing is shown to the others meanwhile', async () => {
  const [ann, ben] = await Promise.all([enter('Ann', 'typing'), enter('Ben', 'typing')])
  await ann.writesUntil(() => ben.page.getByText('Ann is typing…').isVisible())
  await ann.say('Well')
  await ben.sees('Well')
  await ben.page.getByText('Ann is typing…').waitFor({ state: 'detached' })
})

it('a message is edited and deleted for everybody', async () => {
  const [ann, ben] = await Promise.all([enter('Ann', 'changes'), enter('Ben', 'changes')])
  await ann.say('frist')
  await ann.say('second')
  await ben.sees('second')
  // Waits for the read receipt, so that nothing moves under the pointer any more.
  await ann.message('second').getByText('Seen by Ben').waitFor()
  await untilAtRest(ann)
  await ann.message('frist').hover()
  await ann.message('frist').getByRole('button', { name: 'Edit' }).click()
  await ann.composer.fill('first')
  await ann.composer.press('Enter')
  await showsJust(ben, ['first', 'second'])
  await ben.message('first').getByText('edited').waitFor()

  await ann.log.getByText(/Saving/).waitFor({ state: 'detached' })
  await untilAtRest(ann)
  await ann.message('second').hover()
  await ann.message('second').getByRole('button', { name: 'More' }).click()
  await ann.page.getByRole('menuitem', { name: 'Remove…' }).click()
  await ann.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await ben.page.getByText('This message was removed').waitFor()
  for (const person of [ann, ben]) await showsJust(person, ['first'])
})

it('messages written offline wait, are counted, and arrive once and in order', async () => {
  const [ann, ben] = await Promise.all([enter('Ann', 'offline', network.url), enter('Ben', 'offline')])
  ann.opened.expectProblems(LOST_NETWORK)
  await ann.say('before')
  await ben.sees('before')

  network.cut()
  await ann.page.context().setOffline(true)
  await ann.say('written offline')
  await ann.say('and one more')
  await ann.page.getByText(/You are offline\. 2 unsent messages/).waitFor()
  await ann.message('written offline').getByText('Waiting').waitFor()
  await ben.say('meanwhile')
  await ann.opened.screenshot('offline')
  await showsJust(ann, ['before', 'written offline', 'and one more'])

  network.mend()
  await ann.page.context().setOffline(false)
  const all = ['before', 'meanwhile', 'written offline', 'and one more']
  for (const person of [ann, ben]) await showsJust(person, all)
  await ann.page.getByText(/You are offline/).waitFor({ state: 'detached' })
  await ann.log.getByText(/Sending|Waiting/).waitFor({ state: 'detached' })
})

it('a waiting message survives a reload, and is sent', async () => {
  const [ann, ben] = await Promise.all([enter('Ann', 'reload', network.url), enter('Ben', 'reload')])
  ann.opened.expectProblems(LOST_NETWORK)
  await ann.say('before')
  await ben.sees('before')

  // Requests arrive but answers are lost: the page loads, and the socket receives nothing.
  network.loseAnswers()
  await ann.say('before the reload')
  await ann
    .message('before the reload')
    .getByText(/Sending|Waiting/)
    .waitFor()
  await ann.page.reload()
  for (const person of [ann, ben]) await showsJust(person, ['before', 'before the reload'])
  await ann.log.getByText(/Sending|Waiting/).waitFor({ state: 'detached' })
  expect(await ann.message('before the reload').getAttribute('aria-label')).toMatch(/^You, /)
})

it('counts unread messages in other rooms, and marks mentions', async () => {
  const [ann, ben] = await Promise.all([enter('Ann', 'here'), enter('Ben', 'there')])
  await ann.goTo('there')
  await ben.say('Welcome')
  // Shown is not yet read.
  await ben.message('Welcome').getByText('Seen by Ann').waitFor()
  await ann.goTo('here')
  await ben.say('Anybody there?')
  await expect.poll(() => ann.line('there').textContent()).toMatch(/there, 1 unread/)
  expect(await ann.line('there').textContent()).not.toContain('for you')
  await expect.poll(() => ann.page.title()).toMatch(/^\(1\) /)
  await ben.say('@Ann this is for you')
  await expect.poll(() => ann.line('there').textContent()).toMatch(/, 1 for you, 2 unread/)

  await ann.line('there').click()
  await ann.sees('@Ann this is for you')
  await ann.page.getByText('New messages', { exact: true }).waitFor()
  await expect.poll(() => ann.line('there').textContent()).not.toMatch(/unread/)
  await expect.poll(() => ann.page.title()).not.toMatch(/^\(/)
  // It stays read after a reload.
  await ann.page.reload()
  await ann.sees('@Ann this is for you')
  await ann.line('there').waitFor()
  await expect.poll(() => ann.line('there').textContent()).not.toMatch(/unread/)
})

it('marks messages sent to a room that was empty when the user left it', async () => {
  const [ann, ben] = await Promise.all([enter('Ann', 'quiet'), enter('Ben', 'quiet')])
  await ann.page.getByText('No messages in').waitFor()
  await ann.goTo('aside')
  await ben.say('The first word')
  await expect.poll(() => ann.line('quiet').textContent()).toMatch(/1 unread/)
  await ann.line('quiet').click()
  await ann.sees('The first word')
  await ann.page.getByText('New messages', { exact: true }).waitFor()
  // Ben, who stayed, and Cleo, who is new, do not see the marker.
  const cleo = await enter('Cleo', 'quiet')
  await cleo.sees('The first word')
  for (const { page } of [ben, cleo]) expect(await page.getByText('New messages').count()).toBe(0)
})

it('a person who is not alone does not see that nobody is there', async () => {
  const first = 'You’re the first one here'
  const ann = await enter('Ann', 'company')
  await ann.page.getByText(first).waitFor()
  await ann.say('Is anybody here?')
  await ann.sees('Is anybody here?')
  expect(await ann.page.getByText(first).count()).toBe(1)
  const ben = await enter('Ben', 'company')
  await ben.sees('Is anybody here?')
  await ann.page.getByText(first).waitFor({ state: 'detached' })
  await ben.say('I am, and gone')
  await ann.sees('I am, and gone')
  await ben.page.context().close()
  await ann.page.getByRole('button', { name: 'People in this room: 1' }).waitFor()
  await ann.page.reload()
  await ann.sees('I am, and gone')
  expect(await ann.page.getByText(first).count()).toBe(0)
})

it('two people talk in private: the other finds the conversation in the list without asking', async () => {
  const [ann, ben, cleo] = await Promise.all(['Ann', 'Ben', 'Cleo'].map((name) => enter(name, 'crowd')))
  if (ann === undefined || ben === undefined || cleo === undefined) throw new Error('somebody is missing')
  await ann.page.getByRole('complementary').getByRole('button', { name: 'Ben' }).click()
  await ann.heading('Ben').waitFor()
  await ann.say('Between us')
  await expect.poll(() => ben.line('Ann').textContent()).toMatch(/1 unread/)
  await ben.line('Ann').click()
  await ben.sees('Between us')
  await ben.say('I say nothing')
  await showsJust(ann, ['Between us', 'I say nothing'])
  expect(await cleo.page.getByRole('navigation').textContent()).not.toContain('Direct messages')
  // The address does not open the room for anybody else.
  const address = new URL(ann.page.url()).hash
  await cleo.page.evaluate(`location.hash = ${JSON.stringify(address)}`)
  await cleo.page.getByText(/can’t be opened|can’t enter/).waitFor()
  expect(await cleo.page.getByText('Between us').count()).toBe(0)
})
