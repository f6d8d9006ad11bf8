/** The page and the client behind a proxy that serves the host below a path of its own. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Watch } from '../harness/client/watch.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { Chromium } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
let nginx: RealBalancer
let haproxy: RealBalancer
let browser: Chromium

/** The shipped configuration, with two paths and nothing else but what the harness asks for. */
function belowPaths(text: string): string {
  const [location = ''] = /^ {8}location \/ \{\n[^]*?^ {8}\}$/m.exec(text) ?? []
  const below = (path: string) =>
    location.replace('location /', `location ${path}`).replace('http://rookery;', 'http://rookery/;')
  const health = location.replace('location /', 'location = /healthz')
  return text.replace(location, [below('/chat/'), below('/team/b/'), health].join('\n'))
}

/** As docs/deploy.md says. */
const BELOW_CHAT = `
    http-request redirect location /chat/ if { path /chat }
    http-request replace-path /chat/(.*) /\\1`

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '1' } })
  nginx = await RealBalancer.start('nginx.conf', [rookery.port], belowPaths)
  haproxy = await RealBalancer.start('haproxy.cfg', [rookery.port], (text) =>
    text.replace('    default_backend', `${BELOW_CHAT}\n    default_backend`),
  )
  browser = await Chromium.start()
})
afterEach(() => browser.closePages())
afterAll(async () => {
  await browser.stop()
  await Promise.all([nginx.stop(), haproxy.stop()])
  expect(await rookery.stop()).toBe(0)
})

const enter = (path: string, name: string) =>
  Person.enter(browser, { url: `${nginx.url}${path}`, name, room: 'below' })

it('the page works below each path, and asks for nothing outside of it', async () => {
  const context = await browser.newContext()
  const asked: string[] = []
  context.on('request', (request) => asked.push(request.url()))
  context.on('page', (page) => page.on('websocket', (socket) => asked.push(socket.url())))
  const ann = await Person.enter(browser, { url: `${nginx.url}/chat/`, name: 'Ann', room: 'below', context })
  const ben = await enter('/team/b/', 'Ben')
  await ann.say('from below /chat/')
  await ben.sees('from below /chat/')
  await ben.say('and back')
  await ann.sees('and back')

  await ann.page.getByRole('button', { name: 'Emoji' }).click()
  await ann.page.getByRole('listbox', { name: 'Emoji' }).getByRole('option').first().waitFor()
  await ann.page.keyboard.press('Escape')
  await ann.page.reload()
  await ann.sees('and back')
  expect(asked.some((url) => url.startsWith('ws'))).toBe(true)
  const outside = asked.filter((url) => !new URL(url).pathname.startsWith('/chat/'))
  expect(outside).toEqual([])
})

it('the page works below a path of HAProxy, also when its last slash was left out', async () => {
  const ann = await Person.enter(browser, { url: `${haproxy.url}/chat`, name: 'Ann', room: 'below' })
  await ann.say('behind HAProxy')
  await ann.sees('behind HAProxy')
})

it('its links and the programs that it shows lead to the path', async () => {
  const ann = await enter('/team/b/', 'Ann')
  await ann.page.getByRole('button', { name: 'You: Ann' }).click()
  await ann.page.getByRole('menuitem', { name: 'Connect your own client…' }).click()
  const code = ann.page.getByLabel('Code', { exact: true })
  await expect.poll(() => code.textContent()).toContain(`url: '${nginx.url}/team/b/'`)
  await ann.page.getByRole('button', { name: 'socket.io-client' }).click()
  await expect
    .poll(() => code.textContent())
    .toContain(`io('${nginx.url}', { path: '/team/b/socket.io/', auth: { name: 'Bot' } })`)

  ann.opened.expectProblems(/status of 40[34] |^answer: 40[34] /)
  await ann.page.goto(`${nginx.url}/team/b/a/nowhere`)
  await ann.page.getByRole('link', { name: 'Go to the chat' }).click()
  await ann.composer.or(ann.findField).first().waitFor()
  expect(new URL(ann.page.url()).pathname).toBe('/team/b/')
})

it('what one path stores is not the other’s: they may be two servers', async () => {
  const context = await browser.newContext()
  const ann = await Person.enter(browser, { url: `${nginx.url}/chat/`, name: 'Ann', room: 'below', context })
  const other = new Person('Ann', await browser.openPage({ url: `${nginx.url}/team/b/`, context }))
  await other.nameField.waitFor()
  await ann.page.reload()
  await ann.composer.waitFor()
})

it.each([['polling'], ['websocket']])('the client connects below a path over %s', async (transport) => {
  const watch = new Watch({ url: `${nginx.url}/chat`, name: 'Cid', socket: { transports: [transport] } })
  await until(() => watch.room.state === 'live', 'the room is live')
  await watch.close()
})
