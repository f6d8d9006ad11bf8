/** Checks that several scenarios make. Each says what it saw, passed or not. Loss, doubles and order are the auditor's matter. */
import type { Check, RunResult } from '../model/result.ts'

export type UncheckedResult = Omit<RunResult, 'checks'>

/** Where nothing is done to anybody. */
export function served(result: UncheckedResult): Check[] {
  return [allJoined(result), noneDropped(result), allAcked(result), messagesDelivered(result)]
}

/** Where something is done to somebody: sends may be refused or stay without an answer, and that is told, not judged. */
export function checksWithFaults(result: UncheckedResult): Check[] {
  return [allJoined(result), someReconnected(result), allBackAtEnd(result), messagesDelivered(result)]
}

export function allJoined({ clients, connectErrors }: UncheckedResult): Check {
  const errors = Object.entries(connectErrors).map(([code, count]) => `${code} ${count}`)
  return {
    name: 'all clients connect and join',
    ok: clients.joined === clients.asked,
    detail: [`${clients.joined} of ${clients.asked}`, ...errors].join(', '),
  }
}

export function noConnectErrors({ connectErrors }: UncheckedResult): Check {
  const count = sum(Object.values(connectErrors))
  return { name: 'nobody has to try twice', ok: count === 0, detail: `${count} connects were refused` }
}

export function noneDropped({ timeline }: UncheckedResult): Check {
  const count = sum(timeline.map((second) => second.disconnects))
  return { name: 'no connection ends by itself', ok: count === 0, detail: `${count} ended` }
}

/** By clients, not by ends of connections: who has lost one may lose another on its way back. */
export function awayAtMost({ clients }: UncheckedResult, most: number, hosts?: readonly number[]): Check {
  const away = sum(clients.away.filter((_, host) => hosts === undefined || hosts.includes(host)))
  return {
    name: 'connections elsewhere stay',
    ok: away <= most,
    detail: `${away} clients were away, ${most} may`,
  }
}

/** Everybody is live at the end, whatever was done to them. */
export function allBackAtEnd({ timeline, clients }: UncheckedResult): Check {
  const joined = timeline.at(-1)?.joined ?? 0
  return {
    name: 'everybody is back at the end',
    ok: joined === clients.asked,
    detail: `${joined} of ${clients.asked}`,
  }
}

/** That the scenario's own blow did hit somebody: otherwise its other checks show nothing. */
export function someReconnected({ latency }: UncheckedResult, least = 1): Check {
  const { count, p99Ms } = latency.back
  return {
    name: 'those who were cut off come back',
    ok: count >= least,
    detail: count === 0 ? 'nobody was cut off' : `${count} times, p99 ${p99Ms.toFixed(0)} ms`,
  }
}

/** All that was due was sent, and the server said yes to it. */
export function allAcked({ verdict, timeline }: UncheckedResult): Check {
  const due = sum(timeline.map((second) => second.due))
  return {
    name: 'every send is acked',
    ok: due > 0 && verdict.acked === due,
    detail: `${verdict.acked} of ${due} that were due; ${verdict.refused} refused, ${verdict.unanswered} unanswered`,
  }
}

/** There was something to hear: a run in which nothing is owed shows nothing. */
export function messagesDelivered({ verdict }: UncheckedResult): Check {
  return {
    name: 'messages were owed and shown',
    ok: verdict.expected > 0 && verdict.delivered > 0,
    detail: `${verdict.delivered} of ${verdict.expected}`,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** @returns undefined of nothing */
export function medianOf(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
