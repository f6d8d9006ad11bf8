/** The page of a chat that an application has mounted at a path and a namespace of its own. */
import { io } from 'socket.io-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Chromium } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'

const APP = new URL('../fixtures/apps/chat-beside.js', import.meta.url).pathname

let rookery: RunningRookery
let browser: Chromium
beforeAll(async () => {
  rookery = await startRookery({ args: ['--app', APP], env: { MOUNT: 'guests' } })
  browser = await Chromium.start()
})
afterAll(async () => {
  await browser.stop()
  expect(await rookery.stop()).toBe(0)
})

it('shows and sends messages, while the application’s own events work', async () => {
  const url = `${rookery.url}/talk/`
  const ann = await Person.enter(browser, { name: 'Ann', url })
  const bob = await Person.enter(browser, { name: 'Bob', url })
  await ann.composer.fill('Hello from the side')
  await ann.composer.press('Enter')
  await bob.message('Hello from the side').waitFor()
  await bob.page.reload()
  await bob.message('Hello from the side').waitFor()
  const socket = io(rookery.url, { path: '/live', forceNew: true })
  try {
    expect(await socket.emitWithAck('own', 'x')).toBe('x')
  } finally {
    socket.close()
  }
  await browser.closePages()
})

it('is served with its policy, compressed, and only there', async () => {
  const page = await fetch(`${rookery.url}/talk`)
  expect(page.url).toBe(`${rookery.url}/talk/`)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(page.headers.get('cache-control')).toBe('no-cache')
  const [, script = ''] = /src="\.\/(assets\/[^"]+\.js)"/.exec(await page.text()) ?? []
  const asset = await fetch(`${rookery.url}/talk/${script}`, { headers: { 'accept-encoding': 'br' } })
  expect([asset.status, asset.headers.get('content-encoding')]).toEqual([200, 'br'])
  expect(asset.headers.get('cache-control')).toContain('immutable')
  for (const path of ['/', '/talk/index.html', '/talk/assets/none.js', '/talk/..%2Fmain.js', '/assets/'])
    expect([path, (await fetch(rookery.url + path)).status]).toEqual([path, 404])
})
