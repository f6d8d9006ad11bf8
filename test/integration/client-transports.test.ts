/** The client in a real browser without `WebSocket`: it uses long polling only. */
import { afterEach, expect, it } from 'vitest'
import { servePage } from '../harness/client/browser-server.ts'
import { Watch } from '../harness/client/watch.ts'
import { startRookery } from '../harness/cluster/cluster.ts'
import { Chromium } from '../harness/page/page.ts'
import { until } from '../harness/until.ts'

const open: (() => unknown)[] = []

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

const html = (url: string, before: string) => `<!doctype html>
<title>Chat</title>
<link rel="icon" href="data:," />
<script>${before}</script>
<script type="module">
  import { connectChat } from 'rookery/client'
  globalThis.chat = connectChat({ url: '${url}', auth: { name: 'Ann', key: 'a secret that this page keeps' } })
  globalThis.room = chat.join('lobby')
</script>`

it.each([
  ['none', 'delete globalThis.WebSocket', 'polling'],
  ['one', '', 'websocket'],
])('a browser that has %s', async (_, before, transport) => {
  const rookery = await startRookery({ env: { WORKERS: '1', CORS_ORIGIN: '*' } })
  open.push(() => rookery.stop())
  const served = await servePage(html(rookery.url, before))
  open.push(() => served.server.close())
  const browser = await Chromium.start()
  open.push(() => browser.stop())
  const opened = await browser.openPage({ url: served.url })
  opened.expectProblems(/^request to somebody else: http:\/\/127\.0\.0\.1:/)
  const bob = new Watch({ url: rookery.url, name: 'Bob' })
  open.push(() => bob.close())
  await bob.room.live()
  await until(async () => (await opened.page.evaluate('room.state')) === 'live', 'the page has joined')

  await opened.page.evaluate("room.send('from the page').settled.then(() => true)")
  await bob.room.send('to the page').settled
  await until(
    async () => (await opened.page.evaluate('room.messages.length')) === 2,
    'the page has both messages',
  )
  await bob.has(2)
  expect(bob.texts()).toEqual(['from the page', 'to the page'])
  const polled = `performance.getEntriesByType('resource').some(({ name }) => name.includes('transport=polling'))`
  expect(await opened.page.evaluate(polled)).toBe(transport === 'polling')
  await browser.closePages()
})
