import { readlinkSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Crowd } from '../harness/members/crowd.ts'
import { supportedNodes } from '../harness/node-versions.ts'

let rookery: RunningRookery

afterEach(() => rookery.kill())

describe.each(supportedNodes)('on Node.js $version', ({ path }) => {
  test('the chat runs, reloads under load, and stops cleanly', async () => {
    rookery = await startRookery({ node: path, env: { DRAIN_MS: '500', WORKERS: '2' } })
    const oldWorkers = rookery.workerNames()
    expect(oldWorkers).toHaveLength(2)
    const processes = [rookery.pid, ...rookery.workerPids()]
    expect(processes.map((pid) => readlinkSync(`/proc/${pid}/exe`))).toEqual([path, path, path])

    // Members use WebSocket, long polling, and the upgrade from one to the other.
    const crowd = new Crowd({ url: rookery.url, rooms: 2, membersPerRoom: 4 })
    await crowd.joined()
    rookery.signal('SIGHUP')
    await crowd.writeUntil(() => rookery.log('reload done') !== undefined)
    await crowd.audit()
    crowd.close()
    expect(crowd.ackedCount).toBeGreaterThan(0)
    expect(rookery.workerNames()).toHaveLength(2)
    expect(rookery.workerNames()).not.toEqual(oldWorkers)

    expect(await rookery.stop()).toBe(0)
    expect(rookery.otherOutput, 'warnings of Node.js').toEqual([])
  })
})
