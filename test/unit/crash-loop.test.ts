import { expect, test } from 'vitest'
import { CrashLoop } from '../../src/primary/supervisor/crash-loop.ts'

test('the configured number of consecutive unstable exits is a crash loop', () => {
  const loop = new CrashLoop(3)
  expect([1, 2, 3].map(() => loop.died({ stable: false }))).toEqual([false, false, true])
})

test('an exit among stable workers restarts the count', () => {
  const loop = new CrashLoop(3)
  const deaths = [false, false, true, false, false, false]
  expect(deaths.map((stable) => loop.died({ stable }))).toEqual([false, false, false, false, false, true])
})
