import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { RookeryError } from '../../src/wire/errors.ts'
import type { Params, Result, WorkerRequests } from '../../src/wire/requests.ts'
import { PresenceSessions } from '../../src/worker/rooms/presence-sessions.ts'
import { until } from '../harness/until.ts'

/** A primary that keeps presence sessions like the real one, and may be unreachable. */
class Primary {
  readonly present = new Set<string>()
  asked = 0
  /** `late`: requests are carried out, but the reply is lost. */
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
  it('whose leave failed are left when the primary is reachable again', async () => {
    const { sessions, link, untold } = setUp()
    for (const sessionId of ['1', '2', '3']) await sessions.enter('den', { id: 'a', name: 'A' }, sessionId)
    link.reach = 'away'
    for (const sessionId of ['1', '2', '3']) sessions.leave('den', 'a', sessionId)
    await until(async () => (await untold()) === 3 && link.asked > 10, 'the leaves are kept and retried')
    expect(link.present.size).toBe(3)
    link.reach = 'reached'
    await until(async () => (await untold()) === 0, 'all leaves are sent')
    expect(link.present.size).toBe(0)
  })

  it('whose enter was answered too late end with a leave, which does not affect others', async () => {
    const { sessions, link, untold } = setUp()
    await sessions.enter('den', { id: 'a', name: 'A' }, 'another')
    link.reach = 'late'
    await expect(sessions.enter('den', { id: 'a', name: 'A' }, 'late')).rejects.toMatchObject({
      code: 'unavailable',
    })
    sessions.leave('den', 'a', 'late')
    await until(async () => (await untold()) === 1, 'the leave is kept')
    link.reach = 'reached'
    await until(async () => (await untold()) === 0, 'the leave is sent')
    expect([...link.present]).toEqual(['another'])
  })

  it('with pending leaves are limited in number', async () => {
    const { sessions, link, metric, untold } = setUp(2)
    link.reach = 'away'
    for (const sessionId of ['1', '2', '3', '4', '5']) sessions.leave('den', 'a', sessionId)
    await until(
      async () => (await metric('rookery_presence_forgotten_leaves_total')) === 3,
      'three leaves are dropped',
    )
    expect(await untold()).toBe(2)
    link.reach = 'reached'
    await until(async () => (await untold()) === 0, 'the remaining leaves are sent')
  })
})
