/** The clock of a host's machine jumps two years ahead and back: messages have the right time again, and all are kept. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { JumpingClock } from '../harness/faults/clock.ts'
import { until } from '../harness/until.ts'

const ROOM = 'clocks'
const TWO_YEARS_S = 730 * 86_400
const SMALL_MS = 30_000
/** On a machine that was started minutes ago the time may still come from the network, and is followed. */
const SAID = /^the clock of this machine (has jumped|counts as put right)/

let clock: JumpingClock
let rookery: RunningRookery
let client: ChatClient
beforeAll(async () => {
  clock = await JumpingClock.open()
  rookery = await startRookery({ env: { ...UNLIMITED_RATES, WORKERS: '1', ...clock.env } })
  client = await ChatClient.guest(rookery.url, 'Ada')
  await client.join(ROOM)
})
afterAll(async () => {
  client?.close()
  await rookery?.kill()
  await clock?.close()
})

const isNow = (at: number) => Math.abs(at - Date.now()) < SMALL_MS
const said = () => rookery.logs.filter(({ msg }) => SAID.test(msg))

test('the clock jumps two years ahead, and back', async () => {
  expect(isNow((await client.send(ROOM, 'before')).at)).toBe(true)

  await clock.jumpTo(TWO_YEARS_S)
  await until(
    () => said().length > 0,
    'the log says it',
    () => rookery.tail(),
  )
  const during = await client.send(ROOM, 'during')
  const wasFollowed = !said().some(({ msg }) => msg.includes('has jumped'))
  expect(isNow(during.at)).toBe(!wasFollowed)

  await clock.jumpTo(0)
  let n = 0
  const isRight = async () => isNow((await client.send(ROOM, `after-${n++}`)).at)
  await until(isRight, 'messages have the right time again')
  if (!wasFollowed)
    await until(() => rookery.logs.some(({ msg }) => msg.includes('is back')), 'the log says it')

  const { messages, more } = await client.ask('room:history', { room: ROOM, limit: 100 })
  expect(messages.map(({ id }) => id).slice(0, 3)).toEqual(['before', 'during', 'after-0'])
  expect(more).toBe(false)
  const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
  expect(metrics).toMatch(/rookery_clock_jumps_total [12]\n/)
})
