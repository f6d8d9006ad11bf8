import type { RelayHandlers } from '../../src/primary/relay/relay.ts'

/** Handlers of a relay that answer every request of a worker with a valid constant. */
export const constantHandlers: RelayHandlers = {
  'host.alive': () => null,
  'log.append': () => ({ seq: 1, at: 2, duplicate: false }),
  'user.track': () => null,
  'user.forget': () => null,
  'user.read': ({ seq }) => seq,
  'presence.enter': ({ user }) => ({ members: [user], count: 1 }),
  'presence.leave': () => null,
  'presence.members': () => ({ members: [], count: 0 }),
  'page.take': () => null,
  'connection.enter': () => null,
  'connection.leave': () => null,
  'cluster.hosts': () => [],
  'lease.hold': () => ({ heldMs: 1, ranAgoMs: null }),
  'lease.ran': () => true,
  'lease.end': () => null,
  'log.head': () => ({ epoch: 'e', head: 1, first: 1 }),
  'log.read': () => ({ epoch: 'e', head: 1, first: 1, entries: [], more: true }),
  'user.rooms': () => [],
}
