/** Writing messages and finding people: completion, undo, files, input methods, emoji; and how the page looks to those who set their browser. */
import type { CDPSession } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { HISTORY_SETTINGS, publish } from '../harness/page/history.ts'
import { Chromium } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

let rookery: RunningRookery
let browser: Chromium

beforeAll(async () => {
  rookery = await startRookery({ env: { ...HISTORY_SETTINGS, WORKERS: '1', CONNECTIONS_PER_USER: '0' } })
  browser = await Chromium.start()
})
afterEach(() => browser.closePages())
afterAll(async () => {
  await browser.stop()
  expect(await rookery.stop()).toBe(0)
})

function enter(name: string, room: string, options: object = {}): Promise<Person> {
  return Person.enter(browser, { url: rookery.url, name, room, ...options })
}

const fieldText = ({ composer }: Person) => composer.inputValue()

/** Lets go of a file, or pastes it, at an element. @returns whether the page took care of it */
async function giveFile(person: Person, kind: 'drop' | 'paste'): Promise<boolean> {
  return person.composer.evaluate((field, type) => {
    const { DataTransfer, File, DragEvent, ClipboardEvent } = globalThis as unknown as BrowserClasses
    const data = new DataTransfer()
    data.items.add(new File(['x'], 'picture.png', { type: 'image/png' }))
    const about = { bubbles: true, cancelable: true }
    const event =
      type === 'drop'
        ? new DragEvent(type, { ...about, dataTransfer: data })
        : new ClipboardEvent(type, { ...about, clipboardData: data })
    return !field.dispatchEvent(event)
  }, kind)
}

interface BrowserClasses {
  DataTransfer: new () => { items: { add: (file: unknown) => void } }
  File: new (parts: string[], name: string, about: object) => unknown
  DragEvent: new (type: string, about: object) => Event
  ClipboardEvent: new (type: string, about: object) => Event
}

it('files are refused with a reason, a completion can be undone, and emoji are found by all their names', async () => {
  const ann = await enter('Ann', 'write')
  const refusal = ann.page.getByRole('alert').getByText('Files can’t be sent')
  for (const kind of ['drop', 'paste'] as const) {
    expect(await giveFile(ann, kind)).toBe(true)
    await refusal.waitFor()
    await ann.composer.pressSequentially('a')
    await refusal.waitFor({ state: 'detached' })
  }
  await ann.composer.fill('')

  await ann.composer.pressSequentially('so :thumbsup:')
  await expect.poll(() => fieldText(ann)).toBe('so 👍️')
  await ann.composer.press('Control+z')
  await expect.poll(() => fieldText(ann)).toBe('so :thumbsup:')

  await ann.composer.fill('')
  await ann.page.getByRole('button', { name: 'Emoji', exact: true }).click()
  await ann.page.getByRole('option', { name: 'tada', exact: true }).click()
  await expect.poll(() => fieldText(ann)).toBe('🎉')
  await ann.page.getByRole('button', { name: 'Emoji', exact: true }).click()
  const recent = ann.page.getByRole('group', { name: 'Recent' }).getByRole('option')
  await expect.poll(() => recent.allTextContents()).toEqual(['🎉'])
})

it('the Enter that ends the composition of an input method opens nothing', async () => {
  const ann = await enter('Ann', 'compose')
  await ann.findField.fill('nihon')
  await ann.findField.dispatchEvent('keydown', { key: 'Enter', isComposing: true, keyCode: 229 })
  await ann.findField.dispatchEvent('keydown', { key: 'Enter', keyCode: 229 })
  expect(await ann.findField.inputValue()).toBe('nihon')
  expect(new URL(ann.page.url()).hash).toBe('#/room/compose')
})

it('people are found by any word of their name: in the search, in the list and after an @', async () => {
  const names = ['Grace Hopper', 'Margaret Hamilton', ...Array.from({ length: 12 }, (_, at) => `Guest ${at}`)]
  const others = await Promise.all(names.map((name) => ChatClient.guest(rookery.url, name)))
  await Promise.all(others.map((other) => other.ask('room:join', { room: 'people' })))
  await publish(rookery.url, 'people', [
    { from: { id: 'katherine', name: 'Katherine Johnson' }, text: 'I was here' },
  ])
  const ann = await enter('Ann', 'people')
  await ann.page.getByText(`${names.length + 1} people`, { exact: true }).waitFor()

  const panel = ann.page.getByRole('complementary')
  await panel.getByRole('textbox', { name: 'Filter people' }).fill('hop')
  await expect.poll(() => panel.getByRole('listitem').allTextContents()).toEqual(['GHGrace Hopper'])
  await panel.getByRole('textbox', { name: 'Filter people' }).fill('nobody')
  await panel.getByText('No matches').waitFor()

  const suggestions = ann.page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option')
  await ann.composer.fill('')
  await ann.composer.pressSequentially('@ham')
  await expect.poll(() => suggestions.allTextContents()).toEqual(['MHMargaret Hamilton'])
  await ann.composer.fill('')
  await ann.composer.pressSequentially('@johns')
  await expect.poll(() => suggestions.allTextContents()).toEqual(['KJKatherine Johnson'])
  await ann.composer.fill('')

  await ann.findField.fill('hopper')
  await ann.page.getByRole('navigation').getByRole('button', { name: 'Grace Hopper' }).waitFor()
  await ann.findField.press('Enter')
  await ann.heading('Grace Hopper').waitFor()
  await ann.page.getByText('Just you and Grace Hopper').waitFor()
  for (const other of others) other.close()
})

/** The fonts that draw these elements. */
async function fontsOf(session: CDPSession, selector: string): Promise<Set<string>> {
  const { root } = await session.send('DOM.getDocument')
  const { nodeIds } = await session.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector })
  const names = new Set<string>()
  for (const nodeId of nodeIds) {
    const { fonts } = await session.send('CSS.getPlatformFontsForNode', { nodeId })
    for (const { familyName } of fonts) names.add(familyName)
  }
  return names
}

it('emoji are in colour, with fonts that have them in black as well', async () => {
  const ann = await enter('Ann', 'colours')
  await ann.page.getByRole('button', { name: 'Emoji', exact: true }).click()
  await ann.page.getByRole('option', { name: 'grinning', exact: true }).waitFor()
  const session = await ann.page.context().newCDPSession(ann.page)
  await session.send('DOM.enable')
  await session.send('CSS.enable')
  // The group in sight; the others are not drawn yet.
  await expect
    .poll(() => fontsOf(session, '.emoji-group:first-child .emoji-cell'))
    .toEqual(new Set(['Noto Color Emoji']))
  await ann.page.keyboard.press('Escape')
  await ann.say('7 ✓ © 12:30')
  await ann.sees('7 ✓ © 12:30')
  expect(await fontsOf(session, '.message-text')).not.toContain('Noto Color Emoji')
})

/** Elements whose text is cut off at the top, the bottom or the side, except those that scroll or end in an ellipsis. */
const CUT_OFF = `[...document.querySelectorAll('body *')].filter((element) => {
  const { overflowY, textOverflow, lineHeight, fontSize } = getComputedStyle(element)
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '')
  const isField = element.matches('input, textarea')
  if ((!hasText && !isField) || element.closest('.visually-hidden, noscript, svg, [aria-hidden=true]') !== null) return false
  if (element.getClientRects().length === 0) return false
  const isTooHigh = element.scrollHeight > element.clientHeight + 1 && element.clientHeight > 0 && overflowY !== 'auto'
  const isTooWide = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && textOverflow !== 'ellipsis'
  return isTooHigh || (isTooWide && !isField) || (isField && parseFloat(lineHeight) < parseFloat(fontSize))
}).map((element) => element.className + ': ' + element.textContent)`

it('text of twice the size is not cut off, and the open room shows in forced colours', async () => {
  const ben = await enter('Ben', 'size')
  const ann = await enter('Ann', 'size', { forcedColors: 'active' })
  await ben.say('One')
  await ben.say('Two')
  await ann.sees('Two')
  await ann.goTo('another')
  await ben.say('Three')
  await expect.poll(() => ann.line('size').textContent()).toMatch(/1 unread/)
  await ann.line('size').click()
  await ann.sees('Three')
  await ann.page.evaluate("document.documentElement.style.fontSize = '200%'")
  await ann.composer.fill('gjpqy')
  await ann.message('Two').hover()
  await expect.poll(() => ann.page.evaluate<string[]>(CUT_OFF)).toEqual([])
  await ann.opened.screenshot('text-200')

  const outline = (title: string) =>
    ann.line(title).evaluate((link) => link.ownerDocument.defaultView?.getComputedStyle(link).outlineStyle)
  await ann.composer.focus()
  await expect.poll(() => outline('size')).toBe('solid')
  expect(await outline('another')).toBe('none')
})
