/** The client in a real browser, as docs/client.md shows it: waiting sends survive a reload. */

import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { servePage } from '../harness/client/browser-server.ts'
import { Watch } from '../harness/client/watch.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Network } from '../harness/network/proxy.ts'
import { Chromium, LOST_NETWORK, type OpenPage } from '../harness/page/page.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
let network: Network
let browser: Chromium
let opened: OpenPage
let page: { url: string; server: Server }

beforeAll(async () => {
  rookery = await startRookery({ env: { WORKERS: '1', CORS_ORIGIN: '*' } })
  network = await Network.to(rookery.port)
  const document = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8')
  const [, html = ''] = /```html\n([\s\S]*?)```/.exec(document) ?? []
  page = await servePage(html.replaceAll('http://localhost:3000', network.url))
  browser = await Chromium.start()
})
afterAll(async () => {
  await browser.stop()
  await new Promise((resolve) => page.server.close(resolve))
  await network.close()
  expect(await rookery.stop()).toBe(0)
})

function evaluate(expression: string): Promise<unknown> {
  return opened.page.evaluate(expression)
}

async function shows(expression: string, value: unknown): Promise<void> {
  await until(
    async () => JSON.stringify(await evaluate(expression)) === JSON.stringify(value),
    `the page has ${expression} = ${JSON.stringify(value)}`,
  )
}

const SHOWN = "globalThis.room?.messages.map(({ text, state }) => text + ' ' + state)"

it('sends after a reload messages written offline before it, once and in order', async () => {
  const bob = new Watch({ url: rookery.url, name: 'Bob' })
  opened = await browser.openPage({ url: page.url })
  opened.expectProblems(LOST_NETWORK)
  // The chat's server is not the page's server here.
  opened.expectProblems(/^request to somebody else: http:\/\/127\.0\.0\.1:/)
  await shows('globalThis.room?.state', 'live')
  await evaluate("room.send('online').settled.then(() => true)")
  await shows(SHOWN, ['online sent'])

  network.cut()
  await shows('chat.state.state', 'offline')
  await evaluate("{ for (const text of ['first', 'second']) room.send(text) }")
  await shows(SHOWN, ['online sent', 'first pending', 'second pending'])
  await shows('indexedDB.databases().then((list) => list.map(({ name }) => name))', ['rookery:ann'])
  await evaluate("{ room.send('third') }")
  await until(async () => (await stored()) === 3, 'all three sends are stored')

  await opened.page.reload()
  await shows(SHOWN, ['first pending', 'second pending', 'third pending'])
  await shows('chat.state.waiting', 3)
  network.mend()
  await bob.has(4)
  await shows(SHOWN, ['online sent', 'first sent', 'second sent', 'third sent'])
  expect(bob.texts()).toEqual(['online', 'first', 'second', 'third'])
  bob.audit()
  await until(async () => (await stored()) === 0, 'no send is stored any more')
  await bob.close()
  await browser.closePages()
})

/** The number of sends that the browser stores. */
function stored(): Promise<unknown> {
  return evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open('rookery:ann')
    opening.onerror = reject
    opening.onsuccess = () => {
      const counting = opening.result.transaction('pending').objectStore('pending').count()
      counting.onsuccess = () => {
        opening.result.close()
        resolve(counting.result)
      }
    }
  })`)
}
