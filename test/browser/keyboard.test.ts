/** The page used by keyboard only, and messages whose text must be shown exactly as written. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Chromium } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

let rookery: RunningRookery
let browser: Chromium

beforeAll(async () => {
  rookery = await startRookery()
  browser = await Chromium.start()
})
afterEach(() => browser.closePages())
afterAll(async () => {
  await browser.stop()
  expect(await rookery.stop()).toBe(0)
})

it('keyboard only: sign in, find a room, write, edit, delete, open a dialog and close it', async () => {
  const opened = await browser.openPage({ url: rookery.url })
  const ann = new Person('Ann', opened)
  const { keyboard } = opened.page
  await expect.poll(() => ann.nameField.evaluate(isFocused)).toBe(true)
  await keyboard.type('Ann')
  await keyboard.press('Enter')
  await expect.poll(() => ann.composer.evaluate(isFocused)).toBe(true)

  await keyboard.press('Control+k')
  await expect.poll(() => ann.findField.evaluate(isFocused)).toBe(true)
  await keyboard.type('keys')
  await keyboard.press('Enter')
  await ann.heading('keys').waitFor()
  await expect.poll(() => ann.composer.evaluate(isFocused)).toBe(true)

  await keyboard.type('one line')
  await keyboard.press('Shift+Enter')
  await keyboard.type('and antoher')
  await keyboard.press('Enter')
  await ann.sees('one line\nand antoher')
  await ann.page.getByText(/Sending/).waitFor({ state: 'detached' })
  await keyboard.press('ArrowUp')
  await ann.page.getByText('Editing message').waitFor()
  await keyboard.press('Control+a')
  await keyboard.type('corrected')
  await keyboard.press('Enter')
  await ann.sees('corrected')
  await ann.page.getByText(/Saving/).waitFor({ state: 'detached' })

  // The message itself: its menu has the same actions as the mouse toolbar.
  await keyboard.press('Shift+Tab')
  await expect.poll(() => ann.message('corrected').evaluate(isFocused)).toBe(true)
  await keyboard.press('Enter')
  const menu = ann.page.getByRole('menu', { name: 'Message of Ann' })
  await menu.waitFor()
  await keyboard.press('End')
  await keyboard.press('Enter')
  const dialog = ann.page.getByRole('dialog', { name: 'Remove this message?' })
  await dialog.waitFor()
  await keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await ann.sees('corrected')
  await expect.poll(() => ann.composer.evaluate(isFocused)).toBe(true)

  await keyboard.press('Shift+Tab')
  await keyboard.press('Enter')
  await menu.waitFor()
  await keyboard.press('End')
  await keyboard.press('Enter')
  await dialog.waitFor()
  await dialog.getByRole('button', { name: 'Remove' }).focus()
  await keyboard.press('Enter')
  await ann.page.getByText('This message was removed').waitFor()

  const me = ann.page.getByRole('button', { name: 'You: Ann' })
  await me.focus()
  await keyboard.press('Enter')
  await expect
    .poll(() => ann.page.getByRole('menuitem', { name: 'Change name…' }).evaluate(isFocused))
    .toBe(true)
  await keyboard.press('Enter')
  await ann.page.getByRole('dialog', { name: 'Change your name' }).waitFor()
  await keyboard.press('Escape')
  await ann.page.getByRole('dialog').waitFor({ state: 'detached' })
})

it('the focus is always visible, and Tab reaches everything', async () => {
  const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'tabs' })
  await ann.say('to be reached')
  await ann.sees('to be reached')
  await ann.page.getByRole('button', { name: 'Skip to the conversation' }).focus()
  const stops = new Set<string>()
  for (let step = 0; step < 40; step += 1) {
    stops.add(await ann.page.evaluate<string>(FOCUSED))
    await ann.page.keyboard.press('Tab')
  }
  expect([...stops].filter((stop) => stop.startsWith('unseen'))).toEqual([])
  const all = [...stops].join('\n')
  for (const name of [
    'Find a room',
    'tabs',
    'You: Ann',
    'People in this room',
    'More for #tabs',
    'Message #tabs',
    'Emoji',
    'You, ',
  ]) {
    expect(all).toContain(name)
  }
})

it('markup stays text, and links only navigate', async () => {
  const [ann, ben] = await Promise.all(
    ['Ann', 'Ben'].map((name) => Person.enter(browser, { url: rookery.url, name, room: 'markup' })),
  )
  if (ann === undefined || ben === undefined) throw new Error('somebody is missing')
  const texts = [
    '<img src=x onerror="document.title = 1">',
    '<script>document.title = 2</script>',
    '<style>* { display: none }</style>&amp;<!-- -->',
    '[click](javascript:alert(1)) javascript:alert(1) data:text/html,<b>x</b>',
    '"><svg onload=alert(1)> {{7*7}} ${7*7} %s',
  ]
  for (const text of texts) {
    await ann.say(text)
    await ben.sees(text)
  }
  await expect.poll(() => ben.texts()).toEqual(texts)
  expect(await ben.log.locator('img, script, style, .message-text svg, b').count()).toBe(0)
  expect(await ben.log.getByRole('link').count()).toBe(0)
  expect(await ben.page.title()).toContain('Rookery')

  await ann.say('See https://example.org/a?b=1&c=<2> and http://example.org.')
  const links = ben.log.getByRole('link')
  await expect.poll(() => links.count()).toBe(2)
  for (const link of await links.all()) {
    expect(await link.getAttribute('href')).toMatch(/^https?:\/\/example\.org/)
    expect(await link.getAttribute('rel')).toContain('noopener')
    expect(await link.getAttribute('target')).toBe('_blank')
  }
})

it('a name with markup is shown as text', async () => {
  const name = '<b onclick=alert(1)>Eve</b>'
  const [ann, eve] = await Promise.all(
    ['Ann', name].map((each) => Person.enter(browser, { url: rookery.url, name: each, room: 'names' })),
  )
  if (ann === undefined || eve === undefined) throw new Error('somebody is missing')
  await eve.say('Who am I?')
  await ann.sees('Who am I?')
  await ann.log.getByText(name, { exact: true }).waitFor()
  await ann.page.getByRole('complementary').getByText(name, { exact: true }).waitFor()
})

const FOCUSED = `(() => {
  const at = document.activeElement
  const { width, height } = at.getBoundingClientRect()
  const name = at.getAttribute('aria-label') ?? at.textContent
  return (width * height > 4 ? '' : 'unseen ') + at.tagName + ' ' + name
})()`

function isFocused(element: { ownerDocument: { activeElement: unknown } }): boolean {
  return element.ownerDocument.activeElement === element
}
