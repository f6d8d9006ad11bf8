/**
 * Signing in: for the first time, again, with a token, without one, and while the server can't store
 * messages.
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { rookery as command } from '../harness/command.ts'
import { SmallDisk } from '../harness/faults/small-disk.ts'
import { Member } from '../harness/members/member.ts'
import { seriousViolations } from '../harness/page/axe.ts'
import { Chromium } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

const JWT_SECRET = 'a secret of the tests that is long enough'

let browser: Chromium

beforeAll(async () => {
  browser = await Chromium.start()
})
afterEach(() => browser.closePages())
afterAll(() => browser.stop())

describe('a new user', () => {
  let rookery: RunningRookery
  beforeAll(async () => {
    rookery = await startRookery({ env: { WORKERS: '1' } })
  })
  afterAll(async () => expect(await rookery.stop()).toBe(0))

  it('reads the introduction, enters a name, and sends a message', async () => {
    const opened = await browser.openPage({ url: rookery.url })
    await opened.page.getByRole('heading', { name: 'Welcome to Rookery', level: 1 }).waitFor()
    expect(await opened.page.getByRole('main').textContent()).toMatch(
      /A place to talk.*No account and no password/,
    )
    const ann = new Person('Ann', opened)
    // The name field has the focus, and no other decision is needed.
    await opened.page.keyboard.type('Ann')
    await opened.page.keyboard.press('Enter')
    await ann.page.getByText('No messages in #lobby yet').waitFor()
    await ann.page.getByRole('button', { name: 'Copy invite link' }).waitFor()
    await opened.page.keyboard.type('Hello?')
    await opened.page.keyboard.press('Enter')
    await ann.sees('Hello?')
    await ann.page.getByText('This is the beginning of #lobby').waitFor()
  })

  it('sees what is wrong with a name', async () => {
    const opened = await browser.openPage({ url: rookery.url })
    await opened.page.getByRole('button', { name: 'Enter' }).click()
    await opened.page.getByText('Enter a name.').waitFor()
    const ann = new Person('Ann', opened)
    expect(await ann.nameField.getAttribute('aria-invalid')).toBe('true')
  })

  it('opens a link and enters the room that it names', async () => {
    const opened = await browser.openPage({ url: `${rookery.url}/#/room/tea` })
    await opened.page.getByRole('heading', { name: 'Join #tea' }).waitFor()
    const ann = new Person('Ann', opened)
    await ann.nameField.fill('Ann')
    await ann.nameField.press('Enter')
    await ann.heading('tea').waitFor()
  })

  it('is the same user after a reload, and another user in a second window', async () => {
    const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'again' })
    await ann.say('It is me')
    await ann.sees('It is me')
    await ann.page.reload()
    await ann.sees('It is me')
    expect(await ann.message('It is me').getAttribute('aria-label')).toMatch(/^You, /)

    const context = ann.page.context()
    const other = await Person.enter(browser, {
      url: `${rookery.url}/?another`,
      context,
      name: 'Zoe',
      room: 'again',
    })
    await other.sees('It is me')
    expect(await other.message('It is me').getAttribute('aria-label')).toMatch(/^Ann, /)
    await ann.page.getByRole('button', { name: 'People in this room: 2' }).waitFor()
  })
})

describe('where a token is required', () => {
  let rookery: RunningRookery
  const env = { WORKERS: '1', AUTH: 'jwt', JWT_SECRET }
  beforeAll(async () => {
    rookery = await startRookery({ env })
  })
  afterAll(async () => expect(await rookery.stop()).toBe(0))

  async function token(sub: string, name: string): Promise<string> {
    const { code, stdout } = await command(['token', '--sub', sub, '--name', name], { env })
    expect(code).toBe(0)
    return stdout.trim()
  }

  it('a user without a token sees that one is needed, and signs in with one', async () => {
    const opened = await browser.openPage({ url: rookery.url })
    const ann = new Person('Ann', opened)
    await ann.nameField.fill('Ann')
    await ann.nameField.press('Enter')
    await opened.page.getByRole('alert').getByText('This server requires a token').waitFor()
    await opened.screenshot('error')
    expect(await seriousViolations(opened.page)).toEqual([])
    const field = opened.page.getByLabel('Your token')
    await field.fill('nonsense')
    await field.press('Enter')
    await opened.page.getByRole('alert').getByText('Your token was rejected').waitFor()
    await field.fill(await token('ann', 'Ann of the token'))
    await field.press('Enter')
    await ann.composer.waitFor()
    await opened.page.getByRole('button', { name: 'You: Ann of the token' }).waitFor()
  })

  it('a token in the address signs in at once, and is removed from the address', async () => {
    const opened = await browser.openPage({ url: `${rookery.url}/#token=${await token('ben', 'Ben')}` })
    const ben = new Person('Ben', opened)
    await ben.composer.waitFor()
    await ben.say('Here I am')
    await ben.sees('Here I am')
    expect(opened.page.url()).not.toContain('token')
    await opened.page.goBack()
    expect(opened.page.url()).not.toContain('token')
  })
})

const disk = await SmallDisk.mount(4)

describe.skipIf(disk === undefined)('while the disk is full', () => {
  let rookery: RunningRookery
  beforeAll(async () => {
    const env = {
      WORKERS: '1',
      DATA_DIR: join(disk?.path ?? '', 'data'),
      MESSAGE_RATE: '100000',
      MESSAGE_BURST: '100000',
    }
    rookery = await startRookery({ env })
  })
  afterAll(async () => {
    await rookery.kill()
    await disk?.unmount()
  })

  it('the user can still read, sees the reason, and messages wait until there is space', async () => {
    const ann = await Person.enter(browser, { url: rookery.url, name: 'Ann', room: 'full' })
    await ann.say('while there is room')
    await ann.sees('while there is room')
    const filler = new Member(rookery.url, 'elsewhere', 'filler')
    await filler.joined()
    let isFull = false
    for (let index = 0; !isFull; index += 1) {
      const payload = { room: 'elsewhere', id: `fill-${index}`, text: 'x'.repeat(4_000) }
      const ack = await filler.request('message:send', payload)
      isFull = ack?.ok === false
    }
    await ann.say('when there is none')
    await ann.page.getByText(/The server can’t store messages right now.*1 unsent message/).waitFor()
    await ann.message('when there is none').getByText('Waiting').waitFor()
    await ann.opened.screenshot('degraded')
    expect(await seriousViolations(ann.page)).toEqual([])

    await disk?.grow(64)
    await ann.log.getByText(/Sending|Waiting/).waitFor({ state: 'detached' })
    await ann.page.getByText(/The server can’t store/).waitFor({ state: 'detached' })
    await expect.poll(() => ann.texts()).toEqual(['while there is room', 'when there is none'])
    filler.close()
  })
})
