/** Two people in a browser each, on two hosts, behind HAProxy that sends every request to the next host. */
import type { BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hostTagOf, ownerOf } from '../../src/core/session-id.ts'
import { ChatClient } from '../harness/client/chat-client.ts'
import { LoopbackHosts } from '../harness/cluster/loopback-hosts.ts'
import { RealBalancer } from '../harness/network/balancers.ts'
import { Chromium, LOST_NETWORK } from '../harness/page/page.ts'
import { Person } from '../harness/page/person.ts'
import { until } from '../harness/until.ts'

/** Answers of a balancer for a dead host, and of a host for a session that has ended. */
const GONE_HOST = /answer: (400|502|503) of .*\/socket\.io\//
/** The page tries WebSocket first. Trying it last makes it start with polling and upgrade. */
const FIRST_WEBSOCKET = /\[(["'`]websocket["'`]),(["'`]polling["'`])\]/g
/** Like behind a firewall that blocks WebSockets. */
const NO_WEBSOCKETS = `window.WebSocket = class {
  constructor() {
    setTimeout(() => this.onerror?.(new Event('error')))
  }
  close() {}
}`
/** Tall enough to show all messages at once. */
const VIEWPORT = { width: 1280, height: 4000 }

let hosts: LoopbackHosts
let balancer: RealBalancer
let browsers: Chromium[]
let ann: Person
let ben: Person

beforeAll(async () => {
  hosts = await LoopbackHosts.start({ hosts: 2, workersPerHost: 2 })
  balancer = await RealBalancer.start('haproxy.cfg', hosts.ports)
  browsers = [await Chromium.start(), await Chromium.start()]
})
afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.stop()))
  await balancer.stop()
  await hosts.stop()
})

interface Traffic {
  polls: number
  webSockets: string[]
  /** The tag of the host that owns the page's session. */
  hostTag: string | undefined
}

/** Counts what a page's session sends, by the URLs of its requests. */
function watchTraffic(context: BrowserContext): Traffic {
  const traffic: Traffic = { polls: 0, webSockets: [], hostTag: undefined }
  context.on('request', (request) => {
    const { searchParams } = new URL(request.url())
    if (searchParams.get('transport') === 'polling') traffic.polls += 1
    const owner = ownerOf(searchParams.get('sid') ?? '')
    if (owner !== null) traffic.hostTag = hostTagOf(owner)
  })
  context.on('page', (page) => {
    page.on('websocket', (socket) => traffic.webSockets.push(socket.url()))
  })
  return traffic
}

async function beginWithPolling(context: BrowserContext): Promise<() => number> {
  let changed = 0
  await context.route('**/*.js', async (route) => {
    const response = await route.fetch()
    const body = (await response.text()).replace(FIRST_WEBSOCKET, (_, webSocket, polling) => {
      changed += 1
      return `[${polling},${webSocket}]`
    })
    await route.fulfill({ response, body })
  })
  return () => changed
}

async function enter(browser: Chromium | undefined, name: string, context: BrowserContext): Promise<Person> {
  if (browser === undefined) throw new Error('there is no browser')
  return Person.enter(browser, { url: balancer.url, name, room: 'hosts', context })
}

/** Ben reconnects until the balancer sends him to the other host. */
async function untilOnTwoHosts(annTraffic: Traffic, benTraffic: Traffic): Promise<void> {
  await until(async () => {
    if (annTraffic.hostTag === undefined || benTraffic.hostTag === undefined) return false
    if (annTraffic.hostTag !== benTraffic.hostTag) return true
    // An extra request changes the host, in case a page always makes an even number of requests.
    if (Math.random() < 0.5) await fetch(`${balancer.url}/healthz`)
    benTraffic.hostTag = undefined
    await ben.page.reload()
    return false
  }, 'the two are on two hosts')
  await ben.composer.waitFor()
}

/** Both send `count` messages each, without waiting for each other or the network. */
async function talk(name: string, count: number): Promise<string[]> {
  const said = [ann, ben].map((person) =>
    Array.from({ length: count }, (_, index) => `${person.name} ${name} ${index + 1}`),
  )
  await Promise.all(
    [ann, ben].map(async (person, index) => {
      for (const text of said[index] ?? []) await person.say(text)
    }),
  )
  return said.flat()
}

/** Waits until both show all messages, each once and in the same order. */
async function expectBothToShow(said: readonly string[]): Promise<void> {
  const sorted = said.toSorted()
  for (const person of [ann, ben]) {
    await expect.poll(async () => (await person.texts()).toSorted()).toEqual(sorted)
    await expect.poll(() => person.page.getByText(/Sending/).count()).toBe(0)
  }
  await expect.poll(async () => isSame(await ann.texts(), await ben.texts())).toBe(true)
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others)
}

it('two people on two hosts talk, one over polling only, the other with an upgrade', async () => {
  const [one, other] = browsers
  const annContext = await one?.newContext({ viewport: VIEWPORT })
  const benContext = await other?.newContext({ viewport: VIEWPORT })
  if (annContext === undefined || benContext === undefined) throw new Error('there is no browser')
  await annContext.addInitScript(NO_WEBSOCKETS)
  const annTraffic = watchTraffic(annContext)
  const changed = await beginWithPolling(benContext)
  const benTraffic = watchTraffic(benContext)
  ann = await enter(one, 'Ann', annContext)
  ben = await enter(other, 'Ben', benContext)
  expect(changed()).toBeGreaterThan(0)
  await untilOnTwoHosts(annTraffic, benTraffic)

  const said = await talk('first', 3)
  await expectBothToShow(said)
  for (const person of [ann, ben])
    await person.page.getByRole('button', { name: 'People in this room: 2' }).waitFor()
  await until(() => benTraffic.webSockets.length > 0, 'Ben’s page upgrades')
  for (const address of benTraffic.webSockets) expect(address).toMatch(/[?&]sid=/)
  expect(benTraffic.polls).toBeGreaterThan(0)
  expect(annTraffic.webSockets).toEqual([])
  expect(annTraffic.polls).toBeGreaterThan(3)
  expect(await hosts.metric('rookery_forward_sent_total')).toBeGreaterThan(0)
})

it('people are found with whom one shares no room, on either host', async () => {
  const names = ['Grace Hopper', 'Mary Hopper']
  const others = await Promise.all(
    hosts.ports.map((port, n) => ChatClient.guest(`http://127.0.0.1:${port}`, names[n] ?? '')),
  )
  for (const person of [ann, ben]) {
    await person.findField.fill('hopper')
    for (const name of names)
      await person.page
        .getByRole('navigation')
        .getByRole('button', { name: `online: ${name}` })
        .waitFor()
    await person.findField.fill('')
  }
  const [grace, mary] = others
  for (const other of others) await other.join('hoppers')
  const search = async () => grace?.ask('room:members', { room: 'hoppers', search: 'mary' })
  await until(async () => (await search())?.count === 2, 'the hosts know who is in the room')
  expect(await search()).toEqual({ members: [mary?.user], count: 2 })
  for (const other of others) other.close()
})

it('each sees on one host that the other is typing on the other host', async () => {
  for (const [writer, reader] of [
    [ann, ben],
    [ben, ann],
  ] as const) {
    await writer.composer.pressSequentially('Well')
    await reader.page.getByText(`${writer.name} is typing…`).waitFor()
    await writer.composer.fill('')
    await reader.page.getByText(`${writer.name} is typing…`).waitFor({ state: 'detached' })
  }
})

it('both continue when a host is killed while they write, and nothing is lost or duplicated', async () => {
  for (const person of [ann, ben]) {
    person.opened.expectProblems(LOST_NETWORK)
    person.opened.expectProblems(GONE_HOST)
  }
  const said = await ann.texts()
  // Kills each host once: the first host owns one of the two sessions, then the second owns both.
  for (const index of hosts.ports.keys()) {
    const writing = talk(`host ${index + 1} is killed`, 6)
    await hosts.at(index).kill()
    said.push(...(await writing), ...(await talk(`host ${index + 1} is gone`, 2)))
    await expectBothToShow(said)
    for (const person of [ann, ben])
      await person.page.getByRole('button', { name: 'People in this room: 2' }).waitFor()
    await hosts.startHost(index)
  }
  await Promise.all(browsers.map((browser) => browser.closePages()))
})
