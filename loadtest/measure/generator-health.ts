/**
 * Whether the fleet itself was the bottleneck of a run: then the run says nothing about the server. Pure. The
 * rules, for each agent over the measured seconds:
 * - it used 90 % of a core or more;
 * - its event loop was late by more than 50 ms (99th percentile of a second) in more than 10 % of the
 *   seconds;
 * - it sent a message more than 50 ms late in more than 10 % of the seconds.
 * One bad second is always allowed: a pause of the machine is no bottleneck.
 */
import type { AgentSecond } from '../model/agent-protocol.ts'
import type { RunResult } from '../model/result.ts'
import type { Interval } from './samples.ts'

export interface AgentRecord {
  clients: number
  /** In order. */
  seconds: readonly AgentSecond[]
}

export interface GeneratorJudgement {
  agents: RunResult['generator']['agents']
  /** Empty: the fleet was not the bottleneck. */
  bottleneck: string[]
}

export const GENERATOR_LIMITS = { cpuShare: 0.9, eventLoopDelayMs: 50, lateMs: 50, badShare: 0.1 } as const
const TOLERATED_SECONDS = 1
/** The usual span of a report; used for the first one. */
const SECOND_MS = 1_000

/** @param measured loads, and other intervals that figures are taken from */
export function judgeGenerator(
  agents: readonly AgentRecord[],
  measured: readonly Interval[],
): GeneratorJudgement {
  const spans = agents.map(({ seconds }) => spansOf(seconds).filter((span) => isWithin(span, measured)))
  return {
    agents: agents.map(({ clients }, agent) => ({ clients, ...figuresOf(spans[agent] ?? []) })),
    bottleneck: spans.flatMap((own, agent) => reasonsOf(own).map((reason) => `agent ${agent} ${reason}`)),
  }
}

interface Span extends Interval {
  report: AgentSecond
}

function spansOf(seconds: readonly AgentSecond[]): Span[] {
  return seconds.map((report, index) => ({
    fromAt: seconds[index - 1]?.at ?? report.at - SECOND_MS,
    toAt: report.at,
    report,
  }))
}

function isWithin({ fromAt, toAt }: Interval, measured: readonly Interval[]): boolean {
  const middle = (fromAt + toAt) / 2
  return measured.some((interval) => middle > interval.fromAt && middle <= interval.toAt)
}

function figuresOf(spans: readonly Span[]) {
  const wallMs = spans.reduce((all, { fromAt, toAt }) => all + toAt - fromAt, 0)
  const cpuMs = spans.reduce((all, { report }) => all + report.cpuMs, 0)
  const largest = (pick: (report: AgentSecond) => number) =>
    spans.reduce((most, { report }) => Math.max(most, pick(report)), 0)
  return {
    cpuShare: wallMs === 0 ? 0 : cpuMs / wallMs,
    eventLoopDelayP99Ms: largest(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms),
    lateMaxMs: largest(({ lateMs }) => lateMs),
  }
}

function reasonsOf(spans: readonly Span[]): string[] {
  const { cpuShare, eventLoopDelayMs, lateMs } = GENERATOR_LIMITS
  const used = figuresOf(spans).cpuShare
  const slow = countOf(spans, ({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms > eventLoopDelayMs)
  const late = countOf(spans, (report) => report.lateMs > lateMs)
  const of = `of ${spans.length} measured seconds`
  return [
    ...(used >= cpuShare ? [`used ${Math.round(used * 100)} % of a core`] : []),
    ...(isTooMany(slow, spans)
      ? [`had its event loop late by more than ${eventLoopDelayMs} ms in ${slow} ${of}`]
      : []),
    ...(isTooMany(late, spans) ? [`sent more than ${lateMs} ms late in ${late} ${of}`] : []),
  ]
}

const countOf = (spans: readonly Span[], isBad: (report: AgentSecond) => boolean): number =>
  spans.filter(({ report }) => isBad(report)).length

const isTooMany = (bad: number, spans: readonly Span[]): boolean =>
  bad > Math.max(TOLERATED_SECONDS, spans.length * GENERATOR_LIMITS.badShare)
