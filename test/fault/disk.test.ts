import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { SmallDisk } from '../harness/faults/small-disk.ts'
import { type Ack, Member, type Shown } from '../harness/members/member.ts'
import { until } from '../harness/until.ts'

const canMount = await SmallDisk.mount(1).then(async (disk) => {
  await disk?.unmount()
  return disk !== undefined
})

let disk: SmallDisk
let env: Record<string, string>
let rookery: RunningRookery
let member: Member

beforeAll(async () => {
  if (!canMount) return
  const mounted = await SmallDisk.mount(4)
  if (mounted === undefined) throw new Error('the disk could not be mounted')
  disk = mounted
  env = { DATA_DIR: join(disk.path, 'data'), MESSAGE_RATE: '100000', MESSAGE_BURST: '100000' }
  rookery = await startRookery({ env })
})

afterEach(() => member?.close())

afterAll(async () => {
  await rookery?.kill()
  await disk?.unmount()
})

async function enter(name: string): Promise<{ member: Member; states: string[] }> {
  member = new Member(rookery.url, 'room', name)
  const states: string[] = []
  member.socket.on('cluster', ({ state }: { state: string }) => states.push(state))
  await member.joined()
  return { member, states }
}

async function send(id: string, text: string): Promise<Ack> {
  const ack = await member.request('message:send', { room: 'room', id, text })
  if (ack === undefined) throw new Error(`no answer to ${id}`)
  return ack
}

/** Sends until a message is refused. @returns how many were acked, and the refusal */
async function sendUntilRefused(prefix: string): Promise<{ acked: string[]; refusal: Ack }> {
  const acked: string[] = []
  for (let index = 0; index < 20_000; index += 1) {
    const ack = await send(`${prefix}${index}`, 'x'.repeat(4_000))
    if (!ack.ok) return { acked, refusal: ack }
    acked.push(`${prefix}${index}`)
  }
  throw new Error('nothing was ever refused')
}

async function history(): Promise<Shown[]> {
  const entries: Shown[] = []
  for (;;) {
    const ack = await member.request('room:history', { room: 'room', after: entries.length, limit: 200 })
    entries.push(...(ack?.messages as Shown[]))
    if (ack?.more !== true) return entries
  }
}

test.skipIf(!canMount)(
  'a full disk: sends are refused as unavailable, acked messages are kept, and the host recovers',
  async () => {
    const { states } = await enter('alice')
    const { acked, refusal } = await sendUntilRefused('a')
    expect(refusal.error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(acked.length).toBeGreaterThan(10)
    expect((await history()).map(({ id }) => id)).toEqual(acked)
    await until(() => states.includes('degraded'), 'the clients learn of the failure')

    await disk.grow(64)
    const refused = `a${acked.length}`
    await member.send(refused, 'x'.repeat(4_000))
    await until(() => states.at(-1) === 'ok', 'the clients learn that it works again')
    expect((await history()).map(({ id }) => id)).toEqual([...acked, refused])
    expect(rookery.workerNames()).toHaveLength(2)
  },
)

test.skipIf(!canMount)(
  'a read-only data directory: the host serves what it has, acks nothing, and recovers',
  async () => {
    await enter('bob')
    const before = (await history()).map(({ id }) => id)
    member.close()
    expect(await rookery.stop()).toBe(0)
    await disk.makeReadOnly()
    rookery = await startRookery({ env })
    const { states } = await enter('bob')
    const refusal = await send('b', 'read-only')
    expect(refusal).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } })
    expect((await history()).map(({ id }) => id)).toEqual(before)

    await disk.makeWritable()
    await member.send('b', 'writable')
    await until(() => states.at(-1) === 'ok', 'the clients learn that it works again')
    expect((await history()).map(({ id }) => id)).toEqual([...before, 'b'])
  },
)
