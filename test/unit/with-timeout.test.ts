import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { withTimeout } from '../../src/core/with-timeout.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

it('returns a result that arrives in time, and leaves no timer behind', async () => {
  const late = vi.fn(() => 'late')
  expect(await withTimeout(100, Promise.resolve('in time'), late)).toBe('in time')
  await expect(withTimeout(100, Promise.reject(new Error('failed')), late)).rejects.toThrow('failed')
  expect(vi.getTimerCount()).toBe(0)
  expect(late).not.toHaveBeenCalled()
})

it('returns the result of `onTimeout` after the timeout, once, whatever the work does later', async () => {
  const late = vi.fn(() => 'late')
  const failing = rejectedAfter(200)
  const waiting = withTimeout(100, failing, late)
  await vi.advanceTimersByTimeAsync(99)
  expect(late).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(await waiting).toBe('late')
  await vi.advanceTimersByTimeAsync(100)
  await expect(failing).rejects.toThrow('too late')
  expect(late).toHaveBeenCalledTimes(1)
})

async function rejectedAfter(ms: number): Promise<string> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
  throw new Error('too late')
}
