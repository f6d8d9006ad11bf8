/** Checks that several scenarios share. Each reports what it saw, passed or not. The audit covers loss, duplicates and order. */
import { sumOf } from '../measure/sums.ts'
import type { Check, RunResult } from '../model/result.ts'

export type UncheckedResult = Omit<RunResult, 'checks'>

/** For scenarios that break nothing. */
export function checksWithoutFaults(result: UncheckedResult): Check[] {
  return [allJoined(result), noneDropped(result), allAcked(result), messagesDelivered(result)]
}

/** For scenarios with faults: sends may be refused or stay without an answer, which is reported but does not fail. */
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
  const count = sumOf(Object.values(connectErrors))
  return {
    name: 'every client connects at the first attempt',
    ok: count === 0,
    detail: `${count} attempts failed`,
  }
}

export function noneDropped({ timeline }: UncheckedResult): Check {
  const count = sumOf(timeline.map((second) => second.disconnects))
  return { name: 'no connection ends unexpectedly', ok: count === 0, detail: `${count} ended` }
}

/** Counts clients, not ended connections: a client that lost one may lose another on its way back. */
export function awayAtMost({ clients }: UncheckedResult, most: number, hosts?: readonly number[]): Check {
  const away = sumOf(clients.away.filter((_, host) => hosts === undefined || hosts.includes(host)))
  return {
    name: 'other connections stay open',
    ok: away <= most,
    detail: `${away} clients were away, at most ${most} allowed`,
  }
}

export function allBackAtEnd({ timeline, clients }: UncheckedResult): Check {
  const joined = timeline.at(-1)?.joined ?? 0
  return {
    name: 'all clients are live at the end',
    ok: joined === clients.asked,
    detail: `${joined} of ${clients.asked}`,
  }
}

/** That the scenario's fault did hit clients: otherwise its other checks prove nothing. */
export function someReconnected({ latency }: UncheckedResult, least = 1): Check {
  const { count, p99Ms } = latency.back
  return {
    name: 'disconnected clients reconnect',
    ok: count >= least,
    detail: count === 0 ? 'no client was disconnected' : `${count} times, p99 ${p99Ms.toFixed(0)} ms`,
  }
}

/** Every due message was sent, and the server acked it. */
export function allAcked({ verdict, timeline }: UncheckedResult): Check {
  const due = sumOf(timeline.map((second) => second.due))
  return {
    name: 'every send is acked',
    ok: due > 0 && verdict.acked === due,
    detail: `${verdict.acked} of ${due} due; ${verdict.refused} refused, ${verdict.unanswered} without an answer`,
  }
}

/** A run in which nothing is expected proves nothing. */
export function messagesDelivered({ verdict }: UncheckedResult): Check {
  return {
    name: 'messages were expected and delivered',
    ok: verdict.expected > 0 && verdict.delivered > 0,
    detail: `${verdict.delivered} of ${verdict.expected}`,
  }
}

/** @returns undefined for an empty list */
export function medianOf(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
