import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchForHangs } from '../../src/core/hang-watch.ts'

const EVERY_MS = 1_000

let nowMs: number
let answers: ((error?: Error) => void)[]
let hung: string[]
let stop: () => void

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  nowMs = 0
  answers = []
  hung = []
  stop = watchForHangs({
    timeoutMs: 3 * EVERY_MS,
    names: () => ['w1'],
    probe: () =>
      new Promise<void>((resolve, reject) => {
        answers.push((error) => (error === undefined ? resolve() : reject(error)))
      }),
    onSilence: () => undefined,
    onHung: (name) => hung.push(name),
    now: () => nowMs,
  })
})

afterEach(() => {
  stop()
  vi.useRealTimers()
})

/** A probe that ends after `tookMs`. */
async function probe(tookMs: number, error?: Error): Promise<void> {
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  nowMs += tookMs
  answers.shift()?.(error)
  await vi.advanceTimersByTimeAsync(0)
}

const silence = new Error('no answer')

it('calls a process hung after three probes without an answer, once', async () => {
  for (const expected of [[], [], ['w1'], ['w1']]) {
    await probe(EVERY_MS, silence)
    expect(hung).toEqual(expected)
  }
})

it('begins anew after an answer', async () => {
  for (const error of [silence, silence, undefined, silence, silence]) await probe(EVERY_MS, error)
  expect(hung).toEqual([])
})

it('does not count a probe during which it stood still itself', async () => {
  await probe(EVERY_MS, silence)
  await probe(EVERY_MS, silence)
  await probe(60 * EVERY_MS, silence)
  expect(hung).toEqual([])
  await probe(EVERY_MS, silence)
  expect(hung).toEqual(['w1'])
})
