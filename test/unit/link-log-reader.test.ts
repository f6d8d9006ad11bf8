/** Reading the log from a worker: over a real link, to a real relay, with a limit on open requests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SocketFile } from '../../src/core/socket-file.ts'
import { type EmbeddedLog, openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { Leases } from '../../src/primary/leases/index.ts'
import { UserLimits } from '../../src/primary/limits/limits.ts'
import { PresenceNotifier } from '../../src/primary/presence/notifier.ts'
import { Relay } from '../../src/primary/relay/relay.ts'
import { createHandlers } from '../../src/primary/relay/request-handlers.ts'
import { Link } from '../../src/worker/link/link.ts'
import { createLinkLogReader } from '../../src/worker/rooms/link-log-reader.ts'
import { until } from '../harness/until.ts'

const logger = pino({ level: 'silent' })
const boot = { name: 'w1', linkSecret: 'a secret of the link' }
const draft = { kind: 'text' as const, id: 'm1', from: { id: 'ann', name: 'Ann' }, text: 'naïve \ud83d' }

let directory: string
let log: EmbeddedLog
let relay: Relay
let link: Link

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-reader-'))
  const registry = new Registry()
  const retention = { messages: 100, days: 1 }
  log = await openEmbeddedLog({ directory, retention, clock: Date.now, logger, registry })
  const presence = new PresenceNotifier(() => undefined, registry)
  const settings = { messageRate: 1, messageBurst: 1, requestRate: 1, requestBurst: 1, connectionsPerUser: 1 }
  const limits = new UserLimits({ settings, shared: undefined, logger, registry })
  const leases = new Leases({ self: 'abcdef', shared: undefined, logger, now: () => performance.now() })
  const handlers = createHandlers({ log, presence, limits, leases, hosts: () => [] })
  const path = join(directory, 'link')
  relay = await Relay.listen({
    listen: (server) => SocketFile.listen(server, path),
    secret: boot.linkSecret,
    handlers,
    logger,
    registry,
  })
  link = await Link.connect({ boot: { ...boot, linkPath: path }, logger, registry: new Registry() })
})

afterEach(async () => {
  await link.close()
  await relay.close()
  await log.close()
  await rm(directory, { recursive: true })
})

test('its answers are the answers of the log', async () => {
  await log.trackRoom('bob', 'den')
  await log.append('den', draft)
  await log.append('den', { kind: 'remove', id: 'r1', from: draft.from, target: 1 })
  await log.append('den', { ...draft, id: 'm2' })
  const reader = createLinkLogReader(link, new Registry())
  expect(await reader.head('den')).toEqual(await log.head('den'))
  const ranges = [
    { after: 0, limit: 1 },
    { before: 3, limit: 9 },
    { newest: true as const, limit: 2 },
  ]
  for (const range of ranges) {
    const page = await reader.read('den', range)
    expect(page).toEqual(await log.read('den', range))
    expect(page.entries.length).toBeGreaterThan(0)
  }
  expect(await reader.userRooms('bob')).toEqual([{ room: 'den', head: 3, read: 0, unread: 1 }])
})

test("it passes on the log's error when the log cannot be read", async () => {
  await log.close()
  const reader = createLinkLogReader(link, new Registry())
  await expect(reader.head('den')).rejects.toMatchObject({ code: 'unavailable', retryable: true })
})

test('it requests a limited number of pages at a time, and all of them in the end', async () => {
  const open: (() => void)[] = []
  let asked = 0
  const slow = {
    request: () => {
      asked += 1
      return new Promise<never>((resolve) => open.push(() => resolve(undefined as never)))
    },
  }
  const registry = new Registry()
  const reader = createLinkLogReader(slow, registry)
  const pages = Promise.all(Array.from({ length: 100 }, () => reader.read('den', { after: 0, limit: 1 })))
  const waiting = async () =>
    (await registry.getSingleMetric('rookery_log_reads_waiting')?.get())?.values[0]?.value
  expect(asked).toBeLessThan(100)
  expect(await waiting()).toBe(100 - asked)
  while (open.length > 0) {
    for (const answer of open.splice(0)) answer()
    await until(() => open.length > 0 || asked === 100, 'the next pages are requested')
  }
  await pages
  expect([asked, await waiting()]).toEqual([100, 0])
})
