/** Reading and moving through a conversation: by keyboard, over a switch of rooms and a reload, and while messages are sent. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Network } from '../harness/network/proxy.ts'
import { HISTORY_SETTINGS, publish, sampleMessages } from '../harness/page/history.ts'
import { movedBetween, untilAtRest, visibleTexts } from '../harness/page/message-list.ts'
import { Chromium, LOST_NETWORK } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

let rookery: RunningRookery
let network: Network
let browser: Chromium

beforeAll(async () => {
  rookery = await startRookery({ env: { ...HISTORY_SETTINGS, WORKERS: '1' } })
  network = await Network.to(rookery.port)
  browser = await Chromium.start()
  await publish(
    rookery.url,
    'long',
    sampleMessages(230, (index) => `message ${index}`),
  )
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

const FOCUSED = `(() => {
  const { tagName, textContent, ariaLabel } = document.activeElement
  return tagName + ' ' + (ariaLabel ?? textContent)
})()`
const focused = ({ page }: Person) => page.evaluate<string>(FOCUSED)

async function place({ log }: Person, text: string): Promise<number> {
  const box = await log.locator('.message-text').filter({ hasText: text }).last().boundingBox()
  if (box === null) throw new Error(`${text} is not in the page`)
  return box.y
}

it('the place in a room is kept over a switch of rooms and a reload', async () => {
  const ann = await enter('Ann', 'long')
  await ann.sees('message 230')
  await untilAtRest(ann)
  await ann.log.hover()
  await ann.page.mouse.wheel(0, -4_000)
  await expect.poll(async () => [...(await visibleTexts(ann)).keys()].includes('message 230')).toBe(false)
  const before = await visibleTexts(ann)
  await ann.goTo('other')
  await ann.line('long').click()
  await expect.poll(async () => movedBetween(before, await visibleTexts(ann))).toBeLessThan(3)
  await ann.page.reload()
  await expect.poll(async () => movedBetween(before, await visibleTexts(ann))).toBeLessThan(3)
  await ann.page.getByRole('button', { name: 'Jump to newest' }).click()
  await ann.sees('message 230')
  await ann.page.reload()
  await ann.sees('message 230')
})

it('Home and End move the focus through all messages that are loaded, and keep it', async () => {
  const ann = await enter('Ann', 'long')
  await ann.sees('message 230')
  await untilAtRest(ann)
  const { keyboard } = ann.page
  await keyboard.press('Shift+Tab')
  await expect.poll(() => focused(ann)).toMatch(/^ARTICLE .*: message 230$/)
  await keyboard.press('Home')
  await expect.poll(() => focused(ann)).toMatch(/^ARTICLE .*: message 181$/)
  // Older messages are loaded above it meanwhile.
  await expect.poll(() => ann.log.locator('article').first().getAttribute('data-seq')).not.toBe('181')
  await untilAtRest(ann)
  await expect.poll(() => focused(ann)).toMatch(/^ARTICLE .*: message 181$/)
  await keyboard.press('ArrowUp')
  await expect.poll(() => focused(ann)).toMatch(/^ARTICLE .*: message 180$/)
  await keyboard.press('End')
  await expect.poll(() => focused(ann)).toMatch(/^ARTICLE .*: message 230$/)
})

it('Tab reaches each part of the page once, and the links of a message from the message', async () => {
  const links = ['a', 'b', 'c'].map((path) => `https://example.org/${path}`)
  const text = `${links.join(' ')} and\n\`\`\`\ncode\n\`\`\``
  await publish(
    rookery.url,
    'links',
    sampleMessages(12, (index) => `${index} ${text}`),
  )
  const ann = await enter('Ann', 'links')
  for (let index = 1; index <= 10; index += 1)
    await ann.page.evaluate(`location.hash = '#/room/more-${index}'`)
  await ann.line('more-10').waitFor()
  await ann.goTo('links')
  await ann.log.getByText('12 https').waitFor()
  await untilAtRest(ann)
  const { keyboard } = ann.page
  await expect.poll(() => focused(ann)).toMatch(/^TEXTAREA/)
  await keyboard.press('Shift+Tab')
  await expect.poll(() => focused(ann)).toMatch(/^ARTICLE Ada, .*: 12 https/)
  for (const link of links) {
    await keyboard.press('Tab')
    await expect.poll(() => focused(ann)).toBe(`A ${link}`)
  }
  await keyboard.press('Tab')
  await expect.poll(() => focused(ann)).toMatch(/^PRE /)
  await keyboard.press('Tab')
  await expect.poll(() => focused(ann)).toMatch(/^TEXTAREA/)

  await ann.page.getByRole('button', { name: 'Skip to the conversation' }).focus()
  const stops = new Set<string>()
  for (let step = 0; step < 30; step += 1) {
    stops.add(await focused(ann))
    await keyboard.press('Tab')
  }
  expect(stops.size).toBeLessThan(20)

  // The other items and their menus are a few arrow keys away.
  await ann.line('links').focus()
  await keyboard.press('ArrowDown')
  await keyboard.press('ArrowRight')
  await expect.poll(() => focused(ann)).toBe('BUTTON More for more-1')
  await keyboard.press('Enter')
  await ann.page.getByRole('menuitem', { name: 'Leave room…' }).waitFor()
  await keyboard.press('Escape')
  await keyboard.press('ArrowLeft')
  await expect.poll(() => focused(ann)).toMatch(/^A more-1/)
})

it('an own message stays where it is when it is sent and when it is seen', async () => {
  const [ann, ben] = await Promise.all([enter('Ann', 'calm', network.url), enter('Ben', 'calm')])
  ann.opened.expectProblems(LOST_NETWORK)
  await ann.say('first')
  await ann.message('first').getByText('Seen by Ben').waitFor()
  await ben.goTo('aside')
  network.holdAnswers()
  await ann.say('second')
  await ann.message('second').getByText('Sending…').waitFor()
  await untilAtRest(ann)
  const before = await place(ann, 'second')
  network.mend()
  await ann.message('second').getByText('Sending…').waitFor({ state: 'detached' })
  await untilAtRest(ann)
  expect(await place(ann, 'second')).toBe(before)
  await ben.line('calm').click()
  await ben.sees('second')
  await ann.message('second').getByText('Seen by Ben').waitFor()
  await untilAtRest(ann)
  expect(await place(ann, 'second')).toBe(before)
})

it('people whose names look alike are told apart wherever they are named', async () => {
  const [ann, other] = await Promise.all([enter('Ann', 'alike'), enter('\u0410nn', 'alike')])
  await ann.say('I am Ann')
  await other.say('So am I')
  await ann.sees('So am I')
  await publish(rookery.url, 'alike', [{ from: { id: 'cleo', name: 'Cleo' }, text: 'I am not' }])
  const ids = ann.page.locator('.author-id')
  const idIn = (part: string) => ann.page.locator(part).locator(ids)
  await ann.message('So am I').locator(ids).waitFor()
  const id = await ann.message('So am I').locator(ids).textContent()
  expect(await ann.message('So am I').getAttribute('aria-label')).toMatch(new RegExp(`^\u0410nn ${id}, `))
  expect(await ann.message('I am not').locator(ids).count()).toBe(0)
  await expect.poll(() => idIn('.people').count()).toBe(2)
  await ann.composer.pressSequentially('@')
  await expect.poll(() => idIn('.suggestion').allTextContents()).toEqual([id])
  await ann.composer.fill('')
  await other.writesUntil(() => ann.page.getByText(`\u0410nn ${id} is typing…`).isVisible())
  await ann.message('I am Ann').getByText(`Seen by \u0410nn ${id}`).waitFor()
})

it('people with the same name are told apart', async () => {
  const eves = ['eve-0001', 'eve-0002'].map((id, index) => ({
    from: { id, name: 'Eve' },
    text: `I am ${index + 1}`,
  }))
  await publish(rookery.url, 'names', [...eves, { from: { id: 'cleo', name: 'Cleo' }, text: 'I am not' }])
  const ann = await enter('Ann', 'names')
  await ann.sees('I am not')
  expect(await ann.message('I am 1').getAttribute('aria-label')).toMatch(/^Eve 0001, /)
  expect(await ann.message('I am 2').locator('.message-byline').textContent()).toMatch(/^Eve0002/)
  expect(await ann.message('I am not').getAttribute('aria-label')).toMatch(/^Cleo, /)
})

it('a room has one name, in any script and in any spelling', async () => {
  const ann = await enter('Ann', 'long')
  await ann.findField.fill('#Ünï Räume')
  await ann.page.getByRole('button', { name: 'Join or create #ünï-räume' }).click()
  await ann.heading('ünï-räume').waitFor()
  await ann.say('Guten Tag')
  const ben = await enter('Ben', encodeURIComponent('U\u0308NI\u0308-RÄUME'))
  await ben.heading('ünï-räume').waitFor()
  await ben.sees('Guten Tag')
  expect(await ben.page.evaluate('location.hash')).toBe(`#/room/${encodeURIComponent('ünï-räume')}`)
  await expect.poll(() => ben.line('ünï-räume').count()).toBe(1)
  await ben.page.evaluate("location.hash = '#/room/LONG'")
  await ben.heading('long').waitFor()
  await ben.sees('message 230')
})
