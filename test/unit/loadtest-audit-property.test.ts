/** Random runs: a good run has no findings; a single defect is found, counted once and named. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { audit } from '../../loadtest/audit/audit.ts'
import type { Dialect } from '../../loadtest/model/plan.ts'
import {
  type RandomMember,
  type RandomMessage,
  type RandomRun,
  randomRun,
  recordsFrom,
} from '../harness/loadtest/random-run.ts'

interface Broken {
  counts: Partial<typeof nothing>
  /** Texts that must all appear in one of the examples. */
  named: string[]
}

const nothing = { lost: 0, doubled: 0, outOfOrder: 0, phantom: 0 }

/** @returns undefined if the run has no place for this defect; `pick` chooses the place */
type Break = (run: RandomRun, pick: number) => Broken | undefined

interface DeliverySink {
  member: RandomMember
  message: RandomMessage
  at: number
}

const showings = (run: RandomRun): DeliverySink[] =>
  run.members.flatMap((member) => member.shown.map((message, at) => ({ member, message, at })))

const one = <T>(from: readonly T[], pick: number): T | undefined => from[pick % Math.max(1, from.length)]

const names = ({ member, message: { sender, number } }: DeliverySink): string[] => [
  `${sender}-${number}`,
  `client ${member.client}`,
  member.room,
]

const lose: Break = (run, pick) => {
  const acked = showings(run).filter(({ message }) => message.end === 'acked')
  const showing = one(acked, pick)
  showing?.member.shown.splice(showing.at, 1)
  return showing && { counts: { lost: 1 }, named: ['lost: ', ...names(showing)] }
}

const double: Break = (run, pick) => {
  const showing = one(showings(run), pick)
  if (showing === undefined) return undefined
  const { member, message, at } = showing
  member.shown.splice(at + 1 + (pick % (member.shown.length - at)), 0, message)
  return { counts: { doubled: 1 }, named: ['duplicated: ', ...names(showing)] }
}

/** Two neighbours; for broadcasts, two consecutive ones of the same sender. */
const swap: Break = (run, pick) => {
  const pairs = showings(run).flatMap(({ member, message, at }) => {
    const isNext = ({ sender }: RandomMessage) => run.dialect === 'chat' || sender === message.sender
    const next = member.shown.findIndex((other, place) => place > at && isNext(other))
    return next < 0 ? [] : [{ member, message, at, next }]
  })
  const pair = one(pairs, pick)
  if (pair === undefined) return undefined
  const { member, message, at, next } = pair
  const [later] = member.shown.splice(next, 1, message)
  if (later !== undefined) member.shown.splice(at, 1, later)
  return { counts: { outOfOrder: 1 }, named: ['out of order: ', ...names(pair)] }
}

const neverSent = (room: string): RandomMessage => ({
  room,
  sender: 999,
  number: 7,
  sentAt: 0,
  end: 'kept',
  seq: 9_999,
})

const makeUp: Break = (run, pick) => {
  const member = one(run.members, pick)
  member?.shown.push(neverSent(member.room))
  return (
    member && {
      counts: { phantom: 1 },
      named: ['phantom: ', '999-7', `client ${member.client}`, member.room],
    }
  )
}

const showElsewhere: Break = (run, pick) => {
  const member = one(run.members, pick)
  const message = run.messages.find(({ room, seq }) => room !== member?.room && seq !== undefined)
  if (member === undefined || message === undefined) return undefined
  member.shown.push(message)
  return { counts: { phantom: 1 }, named: ['phantom: ', ...names({ member, message, at: 0 })] }
}

const meetStranger: Break = (run, pick) => {
  const member = one(run.members, pick)
  member?.foreignIds.push('another-run-1-1')
  return (
    member && { counts: { phantom: 1 }, named: ['phantom: ', 'another-run-1-1', `client ${member.client}`] }
  )
}

/** Acked, but delivered to nobody. */
const swallow: Break = (run, pick) => {
  const staying = run.members.filter(({ leftAt }) => leftAt === undefined)
  const member = one(staying, pick)
  if (member === undefined) return undefined
  const inRoom = run.messages.filter(({ room }) => room === member.room)
  const seq = Math.max(
    member.head,
    ...run.members.map(({ head }) => head),
    ...inRoom.map((message) => message.seq ?? 0),
  )
  const message: RandomMessage = { ...neverSent(member.room), sentAt: 1e6, end: 'acked', seq: seq + 1 }
  run.messages.push(message)
  const lost = staying.filter(({ room }) => room === member.room).length
  return { counts: { lost }, named: ['lost: ', ...names({ member, message, at: 0 })] }
}

/** A number that differs from the ack's. */
const renumber: Break = (run, pick) => {
  const last = showings(run).filter(
    ({ member, message, at }) => at === member.shown.length - 1 && message.end === 'acked',
  )
  const showing = one(last, pick)
  if (showing === undefined) return undefined
  const { member, message } = showing
  member.shown.splice(-1, 1, { ...message, seq: (message.seq ?? 0) + 10_000 })
  return { counts: { outOfOrder: 1 }, named: ['out of order: ', ...names(showing)] }
}

const breaks: [string, Break, Dialect[]][] = [
  ['a message that one member did not receive', lose, ['bench', 'bare', 'chat']],
  ['a message that was delivered twice', double, ['bench', 'bare', 'chat']],
  ['two swapped messages', swap, ['bench', 'bare', 'chat']],
  ['a message that nobody sent', makeUp, ['bench', 'bare', 'chat']],
  ['a message of another room', showElsewhere, ['bench', 'bare', 'chat']],
  ['a message of another run', meetStranger, ['bench', 'bare', 'chat']],
  ['an ack for a message that was not stored', swallow, ['bench', 'bare', 'chat']],
  ['a number that differs from the ack', renumber, ['chat']],
]

/** The expected deliveries of a run without defects. */
function expectedIn({ dialect, members }: RandomRun): number {
  const expected = ({ shown, leftAt }: RandomMember) =>
    shown.filter(({ end }, at) => {
      if (end === 'acked') return true
      return dialect === 'chat' && (leftAt === undefined || at < shown.length - 1)
    }).length
  return members.reduce((sum, member) => sum + expected(member), 0)
}

describe.each(['bench', 'bare', 'chat'] as const)('in random runs in the dialect %s', (dialect) => {
  it('finds nothing in a good run, and expects the right number of deliveries', () => {
    fc.assert(
      fc.property(randomRun(dialect), (run) => {
        const verdict = audit(recordsFrom(run), dialect)
        const expected = expectedIn(run)
        expect(verdict).toMatchObject({
          ...nothing,
          ok: true,
          ordersDiffer: 0,
          expected,
          delivered: expected,
        })
        const ends = (end: string) => run.messages.filter((message) => message.end === end).length
        expect(verdict).toMatchObject({
          sent: run.messages.length,
          acked: ends('acked'),
          refused: ends('refused'),
        })
      }),
    )
  })

  it.each(breaks.filter(([, , dialects]) => dialects.includes(dialect)))(
    'finds and names %s',
    (_, breakIn) => {
      let broken = 0
      fc.assert(
        fc.property(randomRun(dialect), fc.nat(), (whole, pick) => {
          // Work on a copy: fast-check shrinks the drawn value when a test fails.
          const run = structuredClone(whole)
          const defect = breakIn(run, pick)
          fc.pre(defect !== undefined)
          broken += 1
          const verdict = audit(recordsFrom(run), dialect)
          expect(verdict).toMatchObject({ ok: false, ...nothing, ...defect.counts })
          expect(
            verdict.examples.filter((line) => defect.named.every((name) => line.includes(name))),
          ).not.toEqual([])
        }),
      )
      expect(broken).toBeGreaterThan(50)
    },
  )
})
