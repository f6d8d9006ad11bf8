/** The outbox sends each message once and in order, despite refusals, losses and restarts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retryDelayMs } from '../../src/client/connection/back-off.ts'
import { ChatError } from '../../src/client/errors.ts'
import { Outbox, type OutboxBounds, type Send } from '../../src/client/sending/outbox.ts'
import type { Pending } from '../../src/client/sending/storage.ts'

const backOff = { baseMs: 100, maxMs: 1_000, random: () => 0.5 }
const BOUNDS: OutboxBounds = { pendingMax: 100, pendingMaxBytes: 1_000_000, inFlight: 1, backOff }

const retryable = new ChatError({ code: 'unavailable', message: 'later', retryable: true })
const limited = new ChatError({ code: 'rate_limited', message: 'slower', retryable: true, retryAfterMs: 700 })
const final = new ChatError({ code: 'too_large', message: 'never', retryable: false })

let made = 0
function pending(room: string, text = 'hello'): Pending {
  made += 1
  return { id: `p${made}`, room, kind: 'text', text, at: 0, order: made }
}

const anyRoom = () => true

type Outcome = 'acked' | 'ack lost' | 'lost' | 'refused' | 'limited' | 'refused for good' | 'seen first'
type Step =
  | { do: 'add'; room: string }
  | { do: 'send'; outcomes: Outcome[] }
  | { do: 'disconnect'; arrived: number }
  | { do: 'wait'; ms: number }
  | { do: 'reload' }

/** A server, a storage and an outbox that run through random events. */
class Simulation {
  now = 0
  outbox: Outbox
  readonly bounds: OutboxBounds
  readonly stored = new Map<string, Pending>()
  readonly server: Pending[] = []
  readonly added: Pending[] = []
  readonly failed = new Set<string>()

  constructor(bounds: OutboxBounds) {
    this.bounds = bounds
    this.outbox = new Outbox(bounds)
  }

  add(room: string): void {
    const one = pending(room)
    this.added.push(one)
    this.stored.set(one.id, one)
    this.outbox.add(one)
  }

  take(): Send[] {
    const taken = this.outbox.take(this.now, anyRoom)
    for (const room of new Set(this.added.map((one) => one.room))) {
      const inFlight = this.outbox.of(room).filter(({ state }) => state === 'in_flight')
      expect(inFlight.length).toBeLessThanOrEqual(this.bounds.inFlight)
    }
    return taken
  }

  /** The server stores the message; a repeated id changes nothing. */
  arrive({ pending: one }: Send): number {
    if (!this.server.some(({ id }) => id === one.id)) this.server.push(one)
    return this.server.findIndex(({ id }) => id === one.id) + 1
  }

  apply(send: Send, outcome: Outcome): void {
    const { id } = send.pending
    const known = this.server.some((one) => one.id === id)
    if (outcome === 'acked' || (known && outcome !== 'ack lost' && outcome !== 'lost')) {
      this.outbox.acked(id, this.arrive(send))
      this.stored.delete(id)
    } else if (outcome === 'seen first') {
      this.arrive(send)
      this.outbox.remove(id)
      this.stored.delete(id)
    } else if (outcome === 'ack lost') {
      this.arrive(send)
      this.outbox.refused(id, retryable, this.now)
    } else if (outcome === 'refused for good') {
      expect(this.outbox.refused(id, final, this.now)?.state).toBe('failed')
      this.failed.add(id)
      this.stored.delete(id)
    } else this.outbox.refused(id, outcome === 'limited' ? limited : retryable, this.now)
  }

  step(one: Step): void {
    if (one.do === 'add') this.add(one.room)
    else if (one.do === 'wait') this.now += one.ms
    else if (one.do === 'send') {
      for (const [index, send] of this.take().entries()) this.apply(send, one.outcomes[index] ?? 'acked')
    } else if (one.do === 'disconnect') {
      for (const send of this.take().slice(0, one.arrived)) this.arrive(send)
      this.outbox.disconnected()
    } else {
      this.outbox = new Outbox(this.bounds)
      this.outbox.restore([...this.stored.values()])
    }
  }

  drain(): void {
    for (let i = 0; this.outbox.waiting > 0; i += 1) {
      if (i > 1_000) throw new Error('it never settled')
      const nextAt = this.outbox.nextAt(anyRoom)
      if (nextAt !== undefined) this.now = Math.max(this.now, nextAt)
      for (const send of this.take()) this.apply(send, 'acked')
    }
  }

  audit(): void {
    for (const room of new Set(this.added.map((one) => one.room))) {
      const due = this.added.filter((one) => one.room === room && !this.failed.has(one.id))
      expect(this.server.filter((one) => one.room === room).map(({ id }) => id)).toEqual(
        due.map(({ id }) => id),
      )
    }
    expect([...this.stored.keys()]).toEqual([])
  }
}

function steps(outcomes: readonly Outcome[]): fc.Arbitrary<Step[]> {
  const one: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant<'add'>('add'), room: fc.constantFrom('a', 'b') }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant<'send'>('send'),
        outcomes: fc.array(fc.constantFrom(...outcomes), { maxLength: 6 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant<'disconnect'>('disconnect'), arrived: fc.nat(4) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant<'wait'>('wait'), ms: fc.nat(2_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant<'reload'>('reload') }) },
  )
  return fc.array(one, { maxLength: 80 })
}

describe('the outbox', () => {
  it('delivers each send to the server once, and the sends of a room in the order of creation', () => {
    const outcomes: Outcome[] = [
      'acked',
      'ack lost',
      'lost',
      'refused',
      'limited',
      'refused for good',
      'seen first',
    ]
    fc.assert(
      fc.property(steps(outcomes), (all) => {
        const simulation = new Simulation(BOUNDS)
        for (const one of all) simulation.step(one)
        simulation.drain()
        simulation.audit()
      }),
      { numRuns: 1_000 },
    )
  })

  it('keeps the order with several sends in flight if none is refused in between', () => {
    fc.assert(
      fc.property(steps(['acked', 'ack lost', 'seen first']), (all) => {
        const simulation = new Simulation({ ...BOUNDS, inFlight: 4 })
        for (const one of all) simulation.step(one)
        simulation.drain()
        simulation.audit()
      }),
      { numRuns: 500 },
    )
  })

  it('waits longer after each try, and not at all after a reconnect', () => {
    const outbox = new Outbox(BOUNDS)
    const { id } = outbox.add(pending('a')).pending
    const delays: number[] = []
    let now = 0
    for (let i = 0; i < 6; i += 1) {
      expect(outbox.take(now, anyRoom)).toHaveLength(1)
      outbox.refused(id, retryable, now)
      const nextAt = outbox.nextAt(anyRoom) ?? 0
      delays.push(nextAt - now)
      expect(outbox.take(nextAt - 1, anyRoom)).toEqual([])
      now = nextAt
    }
    expect(delays).toEqual([50, 100, 200, 400, 500, 500])
    outbox.disconnected()
    expect(outbox.nextAt(anyRoom)).toBe(0)
  })

  it('sends nothing while the server has asked for a pause', () => {
    const outbox = new Outbox(BOUNDS)
    const { id } = outbox.add(pending('a')).pending
    outbox.add(pending('b'))
    outbox.take(0, (room) => room === 'a')
    outbox.refused(id, limited, 0)
    expect(outbox.take(700, anyRoom)).toEqual([])
    expect(outbox.nextAt(anyRoom)).toBe(750)
    expect(outbox.take(750, anyRoom)).toHaveLength(2)
  })

  it('makes later sends of a room wait for one that is being retried, but no other room', () => {
    const outbox = new Outbox({ ...BOUNDS, inFlight: 3 })
    const { id } = outbox.add(pending('a')).pending
    outbox.take(0, anyRoom)
    outbox.refused(id, retryable, 0)
    outbox.add(pending('a'))
    const other = outbox.add(pending('b'))
    expect(outbox.take(1, anyRoom)).toEqual([other])
  })

  it('refuses sends beyond the limit, and accepts more when there is room', () => {
    const outbox = new Outbox({ ...BOUNDS, pendingMax: 2 })
    const { id } = outbox.add(pending('a')).pending
    outbox.add(pending('a'))
    expect(() => outbox.add(pending('a'))).toThrow(expect.objectContaining({ code: 'too_many_pending' }))
    outbox.take(0, anyRoom)
    outbox.acked(id, 1)
    outbox.add(pending('a'))
    const bytes = new Outbox({ ...BOUNDS, pendingMaxBytes: 1_000 })
    expect(() => bytes.add(pending('a', 'x'.repeat(500)))).toThrow(/1000 bytes/)
    const first = bytes.add(pending('a', 'x'.repeat(200))).pending
    expect(() => bytes.add(pending('a'))).toThrow(/1000 bytes/)
    bytes.take(0, anyRoom)
    bytes.acked(first.id, 1)
    bytes.add(pending('a'))
  })

  it('gives up a send that the server acks but does not have, after a few tries', () => {
    const outbox = new Outbox(BOUNDS)
    const { id } = outbox.add(pending('a')).pending
    let given: Send | undefined
    let tries = 0
    for (let now = 0; given === undefined && tries < 10; now += 10_000) {
      tries += outbox.take(now, anyRoom).length
      outbox.acked(id, 1)
      given = outbox.contradicted(id, now)
    }
    expect(tries).toBe(3)
    expect(given?.error).toMatchObject({ code: 'contradicted', retryable: true })
  })

  it('sends again what a lost log had acked but not delivered', () => {
    const outbox = new Outbox(BOUNDS)
    const { id } = outbox.add(pending('a')).pending
    outbox.take(0, anyRoom)
    outbox.acked(id, 7)
    expect(outbox.waiting).toBe(0)
    outbox.resendAcked('a')
    expect(outbox.take(0, anyRoom).map(({ pending: one }) => one.id)).toEqual([id])
  })

  it('puts sends of an earlier run first', () => {
    const outbox = new Outbox(BOUNDS)
    const [first, second] = [pending('a'), pending('a')]
    const own = outbox.add(pending('a')).pending
    outbox.restore([second, { ...first, failed: { code: 'too_large', message: 'no', retryable: false } }])
    expect(outbox.all().map(({ pending: one }) => one.id)).toEqual([first.id, second.id, own.id])
    expect(outbox.take(0, anyRoom).map(({ pending: one }) => one.id)).toEqual([second.id])
    expect(outbox.takeFailed(second.id)).toBeUndefined()
    expect(outbox.takeFailed(first.id)?.error?.code).toBe('too_large')
  })
})

describe('the retry delay', () => {
  it('is never less than the server asked for, never zero, and limited', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5, max: 5_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.oneof(
          fc.integer({ min: 0, max: 100_000 }),
          fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300),
        ),
        (failures, random, asked) => {
          const delayMs = retryDelayMs({ baseMs: 100, maxMs: 5_000, random: () => random }, failures, asked)
          expect(delayMs).toBeGreaterThanOrEqual(20)
          expect(delayMs).toBeLessThanOrEqual(600_000 + 5_000)
          if (asked >= 0 && asked <= 100_000) expect(delayMs).toBeGreaterThanOrEqual(asked)
        },
      ),
    )
  })
})
