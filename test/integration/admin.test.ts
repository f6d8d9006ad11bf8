import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAdmin } from '../../src/ops/admin.ts'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Member } from '../harness/members/member.ts'
import { until } from '../harness/until.ts'

/** Sockets that the workers of a host report. */
async function socketsOf(rookery: RunningRookery): Promise<number> {
  const response = await fetch(`${rookery.adminUrl}/status`)
  const { workers } = (await response.json()) as { workers: { sockets: number }[] }
  return workers.reduce((sum, worker) => sum + worker.sockets, 0)
}

describe('the admin listener of a host', () => {
  let running: RunningRookery
  beforeAll(async () => {
    running = await startRookery()
  })
  afterAll(() => running.stop())

  const get = (path: string) => fetch(`${running.adminUrl}${path}`)

  it('returns the metrics of the primary and of all workers in one text', async () => {
    const response = await get('/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await response.text()
    expect(text).toContain('# HELP rookery_process_cpu_seconds_total')
    for (const line of text.split('\n'))
      expect(line).toMatch(/^$|^# (HELP|TYPE) rookery_|^rookery_\w+(\{.*\})? /)
    expect(text).toMatch(/^rookery_metrics_missing_total 0$/m)
  })

  it('returns the state of the host and of its workers', async () => {
    const member = new Member(running.url, 'lobby', 'ann')
    await member.joined()
    expect(await socketsOf(running)).toBe(1)
    member.close()
    await until(async () => (await socketsOf(running)) === 0, 'the closed connection is no longer counted')
  })

  it('answers without a worker that hangs, and counts it', async () => {
    const [stopped] = running.workerPids()
    if (stopped === undefined) throw new Error('no worker')
    process.kill(stopped, 'SIGSTOP')
    try {
      await get('/metrics')
      expect(await (await get('/metrics')).text()).toMatch(/^rookery_metrics_missing_total [1-9]/m)
      const status = (await (await get('/status')).json()) as { workers: object[] }
      expect(status.workers).toHaveLength(2)
    } finally {
      process.kill(stopped, 'SIGCONT')
    }
  })

  it('answers unknown paths with 404, and garbage with 400', async () => {
    expect((await get('/nowhere')).status).toBe(404)
    expect((await get('/healthz')).status).toBe(200)
    const socket = connect(Number(new URL(running.adminUrl).port), '127.0.0.1')
    socket.write('GARBAGE\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /)
    socket.destroy()
  })
})

describe('the admin listener by itself', () => {
  const logger = createLogger({ level: 'silent', format: 'json' })
  const options = { host: '127.0.0.1', port: 0, logger, metrics: async () => '', status: async () => ({}) }

  it('answers 500 when a handler fails, and says why it is not ready', async () => {
    const admin = await startAdmin({
      ...options,
      metrics: () => Promise.reject(new Error('secret detail')),
      health: () => ({ ready: false, reason: 'no worker' }),
    })
    const broken = await fetch(`${admin.url}/metrics`)
    expect([broken.status, await broken.text()]).toEqual([500, '{"error":"internal"}'])
    const ready = await fetch(`${admin.url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, reason: 'no worker' }])
    await admin.close()
  })

  it('says which setting to change when its port is in use', async () => {
    const first = await startAdmin(options)
    const second = startAdmin({ ...options, port: first.port })
    await expect(second).rejects.toMatchObject({
      exitCode: exitCodes.portInUse.code,
      message: expect.stringContaining(`ADMIN_PORT ${first.port} on ADMIN_HOST 127.0.0.1`),
    })
    await first.close()
  })
})
