import { expect, test } from 'vitest'
import { endpoint, onlyAddress, ownAddressTowards } from '../../src/primary/forward/own-address.ts'
import { HostState } from '../../src/primary/supervisor/host-state.ts'
import type { PrimaryEvent } from '../../src/wire/requests.ts'

const ok = { type: 'state', state: 'ok' }
const degraded = (reason: string) => ({ type: 'state', state: 'degraded', reason })

function started() {
  const told: PrimaryEvent[] = []
  return { told, state: new HostState((event) => told.push(event)) }
}

test('is announced at each change, and not twice', () => {
  const { told, state } = started()
  state.set('log', null)
  state.set('log', 'full')
  state.set('log', 'full')
  state.set('log', null)
  expect(told).toEqual([degraded('full'), ok])
})

test('is ok only when every part is ok', () => {
  const { told, state } = started()
  state.set('log', 'away')
  state.set('hosts', 'deaf')
  state.set('log', null)
  expect(state.reason).toBe('deaf')
  state.set('hosts', null)
  expect(told).toEqual([degraded('away'), degraded('deaf'), ok])
})

test('a worker that has just started receives every problem, and nothing else', () => {
  const { told, state } = started()
  state.publishAgain()
  expect(told).toEqual([])
  state.set('log', 'away')
  state.publishAgain()
  expect(told).toEqual([degraded('away'), degraded('away')])
})

test('the route to an address starts at an address of this machine', async () => {
  expect(await ownAddressTowards('127.0.0.1')).toBe('127.0.0.1')
  expect(await ownAddressTowards('no-such-host.invalid')).toBeUndefined()
})

test.each([
  ['0.0.0.0', undefined],
  ['::', undefined],
  ['10.1.2.3', '10.1.2.3'],
  ['fd00::2', 'fd00::2'],
  ['chat-2.internal', 'chat-2.internal'],
])('a host that listens on %s is reached by others under %s', (listensOn, address) => {
  expect(onlyAddress(listensOn)).toBe(address)
})

test('an address and a port are written in the form that others read', () => {
  expect(endpoint('10.0.0.1', 80)).toBe('10.0.0.1:80')
  expect(endpoint('fe80::1', 80)).toBe('[fe80::1]:80')
})
