import { expect, test } from 'vitest'
import { SignalHandler } from '../../src/primary/supervisor/signal-handler.ts'

function makeOrders() {
  const clock = { nowMs: 0 }
  const signals = new SignalHandler(() => clock.nowMs)
  let hurried = 0
  signals.onKill(() => {
    hurried += 1
  })
  return { signals, clock, hurried: () => hurried }
}

test('the first stop request is the one that is carried out', async () => {
  const { signals, hurried } = makeOrders()
  signals.stop('SIGTERM')
  signals.stop('SIGINT', 5)
  expect(await signals.stopped).toEqual({ reason: 'SIGTERM', exitCode: 0 })
  expect(hurried()).toBe(0)
})

test('a repeated signal within a moment counts as one request; later it means stop at once', () => {
  const { signals, clock, hurried } = makeOrders()
  signals.stop('SIGINT')
  clock.nowMs = 100
  signals.stop('SIGINT')
  expect(hurried()).toBe(0)
  clock.nowMs = 600
  signals.stop('SIGINT')
  expect(hurried()).toBe(1)
})

test('a reload signal calls its listener', () => {
  const { signals } = makeOrders()
  let reloads = 0
  signals.onReload(() => {
    reloads += 1
  })
  signals.reload()
  expect(reloads).toBe(1)
})
