/**
 * The client on a network that is down for seconds, silent, or too slow for the traffic, with real servers.
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { Watch, WatchOptions } from '../harness/client/watch.ts'
import { WatchedServer } from '../harness/client/watched-server.ts'
import { sized } from '../harness/long-run.ts'
import type { Network } from '../harness/network/proxy.ts'
import { until } from '../harness/until.ts'

const AWAY_MS = sized(3_000, 10_000)
/** Few large messages fill the buffers of the system, on a slow machine too before the silent client times out. */
const LARGE = 'x'.repeat(20_000)
const FLOOD = 30
const FLOOD_MAX = 5_000
/** A client that is slow stays connected. */
const SLOW_CLIENTS = {
  WORKERS: '1',
  TEXT_MAX_CHARS: String(LARGE.length),
  MAX_PACKET_BYTES: '250000',
  SLOW_CLIENT_BYTES: '250000',
  SLOW_CLIENT_MS: '600000',
}

let server: WatchedServer

afterEach(() => server.close())

/** Ann's network can fail; Bob's does not. */
async function annAndBob(options: Partial<WatchOptions> = {}): Promise<[Watch, Watch]> {
  const both: [Watch, Watch] = [server.watchOverNetwork('Ann', options), server.watch('Bob')]
  await Promise.all(both.map(({ room }) => room.live()))
  return both
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.rookery.adminUrl}/metrics`)).text()
  const values = text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'))
  return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

describe.each<[string, (away: Network) => void]>([
  ['is cut', (away) => away.cut()],
  ['is silent, with connections that look open', (away) => away.hold()],
])(`a network that %s for ${AWAY_MS / 1_000} s`, (_what, goAway) => {
  it('loses no message written meanwhile', async () => {
    server = await WatchedServer.start()
    const [ann, bob] = await annAndBob({ ackTimeoutMs: 1_000 })
    await ann.room.send('before').settled
    await Promise.all([ann.has(1), bob.has(1)])
    goAway(server.network)
    const wentAt = performance.now()
    const written = Array.from({ length: 20 }, (_, i) => ann.room.send(`ann ${i}`))
    await until(() => ann.client.state.state === 'offline', 'the client is offline')
    for (let i = 0; i < 250; i += 1) bob.room.send(`bob ${i}`)
    await until(() => bob.client.state.waiting === 0, "Bob's messages are sent")
    await until(() => performance.now() - wentAt >= AWAY_MS, 'the time is over')
    expect(ann.client.state).toEqual({ state: 'offline', waiting: 20, reason: ann.client.state.reason })
    expect(ann.room.messages.slice(1)).toMatchObject(
      written.map(({ id, text }) => ({ id, text, state: 'pending' })),
    )
    server.network.mend()
    const settled = await Promise.all(written.map((message) => message.settled))
    expect(settled.filter(({ state }) => state !== 'sent')).toEqual([])
    await Promise.all([ann.has(271), bob.has(271)])
    for (const one of [ann, bob]) one.audit()
    expect(ann.shown).toEqual(bob.shown)
    const annsOnes = bob.texts().filter((text) => text?.startsWith('ann'))
    expect(annsOnes).toEqual(written.map(({ text }) => text))
    expect(ann.resets).toEqual([])
  })
})

describe('a client that is too slow', () => {
  it('is skipped by the server, gets a gap event, and has every message in the end', async () => {
    server = await WatchedServer.start(SLOW_CLIENTS)
    const [ann, bob] = await annAndBob()
    server.network.holdAnswers()
    let sent = 0
    while ((await metric('rookery_chat_slow_members')) === 0 && sent < FLOOD_MAX) {
      await Promise.all(Array.from({ length: FLOOD }, () => bob.room.send(LARGE).settled))
      sent += FLOOD
    }
    expect(await metric('rookery_chat_slow_members')).toBe(1)
    server.network.mend()
    await ann.has(sent)
    await until(async () => (await metric('rookery_chat_gaps_total')) > 0, 'the client got a gap event')
    await until(() => ann.room.state === 'live', 'the room is live')
    expect(await ann.room.send('I have it all').settled).toMatchObject({ state: 'sent' })
    await bob.has(sent + 1)
    await ann.has(sent + 1)
    ann.audit()
    expect(ann.shown).toHaveLength(sent + 1)
    expect(ann.resets).toEqual([])
  })
})
