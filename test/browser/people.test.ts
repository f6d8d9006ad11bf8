/** People whom the page does not know: in the search, after an @, and in a room with more members than are listed at first. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { HISTORY_SETTINGS } from '../harness/page/history.ts'
import { Chromium } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

const APP = new URL('../fixtures/apps/crowd.js', import.meta.url).pathname

let rookery: RunningRookery
let browser: Chromium
const others: ChatClient[] = []

beforeAll(async () => {
  const CROWD = JSON.stringify({ large: 600, huge: 1_200 })
  rookery = await startRookery({ args: ['--app', APP], env: { WORKERS: '2', CROWD, ...HISTORY_SETTINGS } })
  browser = await Chromium.start()
})
afterEach(async () => {
  for (const other of others.splice(0)) other.close()
  await browser.closePages()
})
afterAll(async () => {
  await browser.stop()
  expect(await rookery.stop()).toBe(0)
})

const enter = (room: string, name = 'Ann') => Person.enter(browser, { url: rookery.url, name, room })

async function connect(...names: string[]): Promise<ChatClient[]> {
  const clients = await Promise.all(names.map((name) => ChatClient.guest(rookery.url, name)))
  others.push(...clients)
  return clients
}

it('somebody with whom the user shares no room is found by any part of the name', async () => {
  await connect('Ada Lovelace', 'Grace Hopper')
  const ann = await enter('alone')
  const people = ann.page.getByRole('navigation').getByRole('region', { name: 'People' }).getByRole('button')
  await ann.findField.fill('LOVE')
  await expect.poll(() => people.allTextContents()).toEqual(['ALonline: Ada Lovelace'])
  await ann.findField.fill('@opper')
  await expect.poll(() => people.allTextContents()).toEqual(['GHonline: Grace Hopper'])
  await ann.findField.press('Enter')
  await ann.heading('Grace Hopper').waitFor()

  const suggestions = ann.page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option')
  await ann.composer.pressSequentially('@lace')
  await expect.poll(() => suggestions.allTextContents()).toEqual(['ALAda Lovelace'])
  await ann.composer.press('Tab')
  expect(await ann.composer.inputValue()).toBe('@Ada Lovelace ')
})

it('the user is not found, and nobody after a #', async () => {
  await connect('Zora Karenina')
  const zora = await enter('alone', 'Zora Neale')
  const people = zora.page.getByRole('navigation').getByRole('region', { name: 'People' }).getByRole('button')
  await zora.findField.fill('zora')
  await expect.poll(() => people.allTextContents()).toEqual(['ZKonline: Zora Karenina'])
  await zora.findField.fill('#zora')
  await expect.poll(() => people.count()).toBe(0)
})

it('of 601 members all are listed', async () => {
  const ann = await enter('large')
  const panel = ann.page.getByRole('complementary')
  await panel.getByText('601 people', { exact: true }).waitFor()
  const members = panel.getByRole('listitem')
  await expect.poll(() => members.count()).toBe(601)
  expect(await members.first().textContent()).toBe('AAnnyou')
  expect(await members.last().textContent()).toContain('Guest 600')
})

it('of more than 1,000 members those that are not listed are found', async () => {
  const ann = await enter('huge')
  const panel = ann.page.getByRole('complementary')
  await panel.getByText('1,201 people, 1,000 of them listed').waitFor()
  await panel.getByRole('textbox', { name: 'Filter people' }).fill('guest 1200')
  await expect.poll(() => panel.getByRole('listitem').allTextContents()).toEqual(['G1Guest 1200'])
  await ann.composer.pressSequentially('@1199')
  const suggestions = ann.page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option')
  await expect.poll(() => suggestions.allTextContents()).toEqual(['G1Guest 1199'])
})
