import { expect, test } from 'vitest'
import { Orders } from '../../src/primary/supervisor/signal-handler.ts'

function makeOrders() {
  const clock = { nowMs: 0 }
  const orders = new Orders(() => clock.nowMs)
  let hurried = 0
  orders.onHurry(() => {
    hurried += 1
  })
  return { orders, clock, hurried: () => hurried }
}

test('the first order to stop is the one that is carried out', async () => {
  const { orders, hurried } = makeOrders()
  orders.stop('SIGTERM')
  orders.stop('SIGINT', 5)
  expect(await orders.stopped).toEqual({ reason: 'SIGTERM', exitCode: 0 })
  expect(hurried()).toBe(0)
})

test('the same order twice within a moment is one order; later it means at once', () => {
  const { orders, clock, hurried } = makeOrders()
  orders.stop('SIGINT')
  clock.nowMs = 100
  orders.stop('SIGINT')
  expect(hurried()).toBe(0)
  clock.nowMs = 600
  orders.stop('SIGINT')
  expect(hurried()).toBe(1)
})

test('a reload reaches its listener', () => {
  const { orders } = makeOrders()
  let reloads = 0
  orders.onReload(() => {
    reloads += 1
  })
  orders.reload()
  expect(reloads).toBe(1)
})
