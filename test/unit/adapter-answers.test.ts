/** Long answers between workers: whole or not at all, within their bounds, whatever is lost or dies in between. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnswerLimits } from '../../src/worker/adapter/answers.ts'
import { Answers } from '../../src/worker/adapter/answers.ts'
import type { AnswerStep } from '../../src/worker/adapter/codec.ts'
import { decodeBody } from '../../src/worker/adapter/codec.ts'
import { until } from '../harness/until.ts'

const limits: AnswerLimits = {
  answerBytes: 1_000,
  heldBytes: 2_000,
  pieceBytes: 10,
  atATime: 2,
  piecesAhead: 2,
  waiting: 3,
  idleMs: 600_000,
}

interface Sent {
  from: string
  to: string
  body: Buffer
}

const refusal = (code: string) => expect.objectContaining({ code })

/** Workers whose messages wait until the test delivers them. */
function network(names: string[], own: Partial<AnswerLimits> = {}) {
  const wire: Sent[] = []
  const received: string[] = []
  let dropped = 0
  const workers = new Map(
    names.map((name) => {
      const answers = new Answers({
        link: { send: (to, body) => wire.push({ from: name, to, body }) },
        limits: { ...limits, ...own },
        received: (body, from) => received.push(`${from}>${name} ${body.toString()}`),
      })
      answers.useMetrics({ dropped: { inc: (count: number) => (dropped += count) } } as never)
      return [name, answers]
    }),
  )
  const at = (name: string): Answers => {
    const found = workers.get(name)
    if (found === undefined) throw new Error(`no ${name}`)
    return found
  }
  const deliver = ({ from, to, body }: Sent): void => {
    const decoded = body[0] === 3 ? decodeBody(body) : undefined
    if (decoded?.kind === 'answer') at(to).onStep(decoded.step, from)
    else received.push(`${from}>${to} ${body.toString()}`)
  }
  const steps = (): AnswerStep['step'][] =>
    wire.flatMap(({ body }) => {
      const decoded = decodeBody(body)
      return decoded.kind === 'answer' ? [decoded.step.step] : []
    })
  const run = (): void => {
    for (let next = wire.shift(); next !== undefined; next = wire.shift()) deliver(next)
  }
  const held = () => names.reduce((sum, name) => sum + at(name).heldBytes, 0)
  return { wire, received, at, deliver, run, steps, held, dropped: () => dropped }
}

describe('long answers', () => {
  it('arrive whole, each once, and leave nothing behind', () => {
    const answer = fc.record({ from: fc.constantFrom('w2', 'w3'), length: fc.integer({ min: 0, max: 200 }) })
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 5 }), (answers) => {
        const { at, run, received, held } = network(['w1', 'w2', 'w3'])
        const bodies = answers.map(({ from, length }, index) => ({
          from,
          body: String(index).repeat(length),
        }))
        for (const { from, body } of bodies) at(from).send('w1', Buffer.from(body))
        run()
        expect(received.toSorted()).toEqual(bodies.map(({ from, body }) => `${from}>w1 ${body}`).toSorted())
        expect(held()).toBe(0)
      }),
    )
  })

  it('are fetched a few at a time, a few pieces ahead', () => {
    const { at, wire, deliver, steps } = network(['w1', 'w2'])
    for (let index = 0; index < 4; index += 1) at('w2').send('w1', Buffer.alloc(100))
    for (const offer of wire.splice(0)) deliver(offer)
    expect(steps()).toEqual(['ask', 'ask', 'ask', 'ask'])
    for (const ask of wire.splice(0)) deliver(ask)
    expect(steps()).toEqual(['piece', 'piece', 'piece', 'piece'])
  })

  it('that are too long, or too many for the memory, are refused to the one that answers', () => {
    const { at } = network(['w1', 'w2'])
    expect(() => at('w2').send('w1', Buffer.alloc(1_001))).toThrow(refusal('too_large'))
    at('w2').send('w1', Buffer.alloc(1_000))
    at('w2').send('w1', Buffer.alloc(1_000))
    expect(() => at('w2').send('w1', Buffer.alloc(11))).toThrow(refusal('unavailable'))
    at('w2').workerGone('w1')
    at('w2').send('w1', Buffer.alloc(11))
  })

  it('end with the death of either side, whenever it comes', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.constantFrom('w1', 'w2'), (after, victim) => {
        const { at, wire, deliver, run, received, held } = network(['w1', 'w2', 'w3'])
        at('w2').send('w1', Buffer.alloc(100, 'x'))
        at('w3').send('w1', Buffer.alloc(50, 'y'))
        for (let index = 0; index < after; index += 1) {
          const next = wire.shift()
          if (next !== undefined) deliver(next)
        }
        for (const name of ['w1', 'w2', 'w3']) if (name !== victim) at(name).workerGone(victim)
        wire.splice(0, wire.length, ...wire.filter(({ from, to }) => from !== victim && to !== victim))
        run()
        const left = ['w1', 'w2', 'w3'].filter((name) => name !== victim)
        expect(left.reduce((sum, name) => sum + at(name).heldBytes, 0)).toBe(0)
        if (victim === 'w2') expect(received).toContain(`w3>w1 ${'y'.repeat(50)}`)
        else expect(held()).toBe(0)
      }),
    )
  })

  it('of which something is lost are given up, and others go on', async () => {
    const { at, wire, run, received, held, dropped } = network(['w1', 'w2'], { idleMs: 1, atATime: 1 })
    at('w2').send('w1', Buffer.alloc(100, 'x'))
    at('w2').send('w1', Buffer.alloc(30, 'y'))
    run()
    received.splice(0)
    at('w2').send('w1', Buffer.alloc(100, 'x'))
    // The offer is lost: nobody will fetch it.
    wire.splice(0)
    await until(() => held() === 0, 'it is not kept')
    expect(dropped()).toBe(1)
    at('w2').send('w1', Buffer.alloc(30, 'y'))
    run()
    expect(received).toEqual([`w2>w1 ${'y'.repeat(30)}`])
  })

  it('survive any step from another worker', () => {
    const id = fc.nat(3)
    const at = fc.oneof(fc.nat(120), fc.nat(2 ** 32 - 1))
    const step = fc.oneof(
      fc.record({ step: fc.constant('offer' as const), id, bytes: at }),
      fc.record({ step: fc.constant('ask' as const), id, at }),
      fc.record({ step: fc.constant('piece' as const), id, at, body: fc.uint8Array({ maxLength: 30 }) }),
      fc.record({ step: fc.constantFrom('refuse' as const, 'lost' as const), id }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { at: worker, wire, run, received } = network(['w1', 'w2', 'w3'])
        worker('w2').send('w1', Buffer.alloc(100, 'x'))
        for (const one of steps) {
          const made = one.step === 'piece' ? { ...one, body: Buffer.from(one.body) } : one
          worker('w1').onStep(made, 'w3')
          worker('w2').onStep(made, 'w3')
        }
        wire.splice(0, wire.length, ...wire.filter(({ to }) => to !== 'w3'))
        worker('w1').workerGone('w3')
        run()
        expect(received.filter((line) => line.startsWith('w2'))).toEqual([`w2>w1 ${'x'.repeat(100)}`])
      }),
    )
  })
})
