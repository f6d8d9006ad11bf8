import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { RookeryError } from '../../src/wire/errors.ts'
import type { Params, Result, WorkerRequests } from '../../src/wire/requests.ts'
import { PresenceSessions } from '../../src/worker/rooms/presence-sessions.ts'
import { until } from '../harness/until.ts'

/** A primary that keeps stays as the real one does, and may be out of reach. */
class Primary {
  readonly present = new Set<string>()
  asked = 0
  /** `late`: it does what is asked, and nobody hears of it. */
  reach: 'reached' | 'late' | 'away' = 'reached'

  async request<M extends keyof WorkerRequests>(
    method: M,
    params: Params<WorkerRequests, M>,
  ): Promise<Result<WorkerRequests, M>> {
    this.asked += 1
    const { sessionId } = params as { sessionId: string }
    if (this.reach !== 'away') {
      if (method === 'presence.enter') this.present.add(sessionId)
      else this.present.delete(sessionId)
    }
    if (this.reach !== 'reached') throw new RookeryError('unavailable', 'no reply')
    const answer = method === 'presence.enter' ? { members: [], count: 0 } : null
    return answer as Result<WorkerRequests, M>
  }
}

function setUp(maxQueued = 100) {
  const registry = new Registry()
  const link = new Primary()
  const logger = pino({ level: 'silent' })
  const sessions = new PresenceSessions({ link, logger, registry, maxQueued, firstDelayMs: 1 })
  const metric = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value ?? 0
  const untold = () => metric('rookery_presence_untold_leaves')
  return { sessions, link, metric, untold }
}

describe('presence sessions', () => {
  it('that could not be left are left when the primary is there again', async () => {
    const { sessions, link, untold } = setUp()
    for (const sessionId of ['1', '2', '3']) await sessions.enter('den', { id: 'a', name: 'A' }, sessionId)
    link.reach = 'away'
    for (const sessionId of ['1', '2', '3']) sessions.leave('den', 'a', sessionId)
    await until(async () => (await untold()) === 3 && link.asked > 10, 'they are kept and tried again')
    expect(link.present.size).toBe(3)
    link.reach = 'reached'
    await until(async () => (await untold()) === 0, 'all have been told')
    expect(link.present.size).toBe(0)
  })

  it('that began although the answer came too late end with a leave, and leave those of others alone', async () => {
    const { sessions, link, untold } = setUp()
    await sessions.enter('den', { id: 'a', name: 'A' }, 'another')
    link.reach = 'late'
    await expect(sessions.enter('den', { id: 'a', name: 'A' }, 'late')).rejects.toMatchObject({
      code: 'unavailable',
    })
    sessions.leave('den', 'a', 'late')
    await until(async () => (await untold()) === 1, 'it is kept')
    link.reach = 'reached'
    await until(async () => (await untold()) === 0, 'it has been told')
    expect([...link.present]).toEqual(['another'])
  })

  it('that wait to be left are bounded', async () => {
    const { sessions, link, metric, untold } = setUp(2)
    link.reach = 'away'
    for (const sessionId of ['1', '2', '3', '4', '5']) sessions.leave('den', 'a', sessionId)
    await until(
      async () => (await metric('rookery_presence_forgotten_leaves_total')) === 3,
      'three are let go',
    )
    expect(await untold()).toBe(2)
    link.reach = 'reached'
    await until(async () => (await untold()) === 0, 'the rest has been told')
  })
})
