import { afterEach, describe, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { Crowd } from '../harness/members/crowd.ts'
import { otherNodes } from '../harness/other-nodes.ts'

let rookery: RunningRookery

afterEach(() => rookery.kill())

describe.each(otherNodes)('on Node.js $major', ({ path }) => {
  test('the chat runs, reloads under load, and stops in order', async () => {
    rookery = await startRookery({ node: path, env: { DRAIN_MS: '500' } })
    const crowd = new Crowd({ url: rookery.url, rooms: 2, membersPerRoom: 4 })
    await crowd.joined()
    rookery.signal('SIGHUP')
    await crowd.writeUntil(() => rookery.log('reload done') !== undefined)
    await crowd.audit()
    crowd.close()
    expect(crowd.ackedCount).toBeGreaterThan(0)
    expect(await rookery.stop()).toBe(0)
  })
})
