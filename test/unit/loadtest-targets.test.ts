/** What the targets need, offer and refuse, without starting one. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { hostFaults, workerFaults } from '../../loadtest/targets/faults.ts'
import { fixedPort } from '../../loadtest/targets/fixed-port.ts'
import { Host } from '../../loadtest/targets/host.ts'
import { targets } from '../../loadtest/targets/index.ts'
import { RecentLines } from '../../loadtest/targets/recent-lines.ts'
import { appendfsyncFrom } from '../../loadtest/targets/redis-server.ts'
import { Missing, needPackage, needProgram } from '../../loadtest/targets/requirements.ts'

describe('the table', () => {
  it('names each target once, with a shape within its limits and a one-line description', () => {
    const names = targets.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { title, defaultShape, limits, dialects } of targets) {
      expect(title).not.toContain('\n')
      expect(dialects.length).toBeGreaterThan(0)
      expect(defaultShape.hosts).toBeLessThanOrEqual(limits.hosts)
      expect(defaultShape.workersPerHost).toBeLessThanOrEqual(limits.workersPerHost)
    }
  })
})

describe('a missing program', () => {
  it('is reported with how to install it', () => {
    expect(() => needProgram('redis-server', 'install Redis', '/nowhere')).toThrow(Missing)
    expect(() => needProgram('redis-server', 'install Redis', '/nowhere')).toThrow(
      /redis-server.*install Redis/,
    )
    expect(() => needProgram('sh', 'install a shell')).not.toThrow()
    expect(() => needPackage('@socket.io/no-adapter')).toThrow('npm install @socket.io/no-adapter')
    expect(() => needPackage('socket.io')).not.toThrow()
  })

  it('a durability setting of Redis is one of three', () => {
    expect(['always', 'everysec', 'no'].map(appendfsyncFrom)).toEqual(['always', 'everysec', 'no'])
    expect(() => appendfsyncFrom('sometimes')).toThrow('REDIS_APPENDFSYNC')
  })
})

describe('reserved ports', () => {
  it('are given once each, below those of outgoing connections, and only if nobody listens there', async () => {
    const first = await fixedPort('127.0.0.1')
    const taken = createServer().listen(first + 1, '127.0.0.1')
    await once(taken, 'listening')
    const second = await fixedPort('127.0.0.1')
    taken.close()
    expect(first).toBeGreaterThanOrEqual(20_000)
    expect(second).toBeLessThan(30_000)
    expect([first, first + 1]).not.toContain(second)
  })
})

describe('faults', () => {
  const hosts = [0, 1].map(
    (index) => new Host(index, 'http://127.0.0.1', () => Promise.reject(new Error('none'))),
  )

  it('are refused for a host or a worker that does not exist', async () => {
    await expect(async () => hostFaults(hosts)['kill-host']?.(2)).rejects.toThrow('there is no host 2')
    await expect(workerFaults(hosts, 4)['kill-worker']?.(8)).rejects.toThrow('there is no host 2')
    await expect(workerFaults(hosts, 4)['kill-worker']?.(7)).rejects.toThrow('host 1 was never started')
    await expect(async () => hostFaults(hosts)['pause-host']?.(0)).rejects.toThrow('host 0 is not running')
  })

  it('see no processes of a host before it has started', async () => {
    expect(hosts[0]?.processes()).toEqual([])
    expect(hosts[0]?.unexpectedExits()).toEqual([])
    await expect(hosts[0]?.kill()).resolves.toBeUndefined()
  })
})

describe('the last lines of an output', () => {
  it('are limited in number and length', () => {
    const recent = new RecentLines()
    for (let n = 0; n < 500; n += 1) recent.add(`${n} ${'x'.repeat(5_000)}`)
    const lines = recent.toString().split('\n')
    expect(lines).toHaveLength(60)
    expect(lines.at(-1)).toMatch(/^499 x+$/)
    expect(Math.max(...lines.map(({ length }) => length))).toBe(2_000)
  })
})
