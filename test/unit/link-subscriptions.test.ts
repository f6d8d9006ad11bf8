import { expect, it } from 'vitest'
import { LinkSubscriptions } from '../../src/worker/link/subscriptions.ts'

const TIMEOUT_MS = 20

function setUp() {
  const refs: number[] = []
  const frames = { subscribe: (ref: number) => void refs.push(ref), unsubscribe: () => undefined }
  return { topics: new LinkSubscriptions(frames, TIMEOUT_MS), refs }
}

it('a subscription stops waiting for the primary in time, and still takes effect when it answers late', async () => {
  const { topics, refs } = setUp()
  const both = [topics.subscribe('r:den'), topics.subscribe('r:den')]
  for (const one of both) await expect(one).rejects.toMatchObject({ code: 'unavailable' })
  expect(refs).toEqual([1])
  const third = topics.subscribe('r:den')
  topics.confirmed(1, false, [])
  await expect(third).resolves.toBeUndefined()
  await expect(topics.subscribe('r:den')).resolves.toBeUndefined()
  expect(refs).toEqual([1])
  for (let holds = 4; holds > 0; holds -= 1) topics.unsubscribe('r:den')
  expect(topics.size).toBe(0)
})

it('every waiting caller learns that the subscription was refused, or that the link is lost', async () => {
  const { topics } = setUp()
  const refused = [topics.subscribe('r:den'), topics.subscribe('r:den')]
  topics.confirmed(1, true, [])
  for (const one of refused) await expect(one).rejects.toMatchObject({ message: 'too many subscriptions' })
  const lost = topics.subscribe('r:hall')
  topics.failAll('the link is lost')
  await expect(lost).rejects.toMatchObject({ message: 'the link is lost' })
})
