import { describe, expect, it } from 'vitest'
import { MissedUpdates } from '../../src/primary/relay/missed-updates.ts'

const user = (id: string) => ({ id, name: id })

describe('updates that a worker has missed', () => {
  it('become one event per room, and nothing afterwards', () => {
    const missed = new MissedUpdates()
    missed.entry('r:den', 'den')
    missed.presence('r:den', 'den', { joined: [user('a')], left: [], count: 5 })
    missed.presence('r:den', 'den', { joined: [], left: [{ id: 'b' }], count: 4 })
    missed.entry('r:hall', 'hall')
    expect(missed.hasPresence('r:den')).toBe(true)
    expect(missed.hasPresence('r:hall')).toBe(false)
    expect(missed.take()).toEqual([
      { type: 'behind', room: 'den', presence: { joined: [user('a')], left: [{ id: 'b' }], count: 4 } },
      { type: 'behind', room: 'hall' },
    ])
    expect(missed.take()).toEqual([])
    expect(missed.hasPresence('r:den')).toBe(false)
  })

  it('name a limited number of users; past it only correct counts are kept', () => {
    const missed = new MissedUpdates(2)
    missed.presence('r:den', 'den', { joined: [user('a'), user('b')], left: [], count: 2 })
    missed.presence('r:hall', 'hall', { joined: [user('c')], left: [], count: 1 })
    missed.presence('r:den', 'den', { joined: [], left: [{ id: 'a' }], count: 1 })
    missed.presence('r:hall', 'hall', { joined: [user('d')], left: [], count: 2 })
    expect(missed.take()).toEqual([
      { type: 'behind', room: 'den', presence: { joined: [], left: [], count: 1 } },
      { type: 'behind', room: 'hall', presence: { joined: [], left: [], count: 2 } },
    ])
  })
})
