/**
 * Checks that the requested load was sent. A due message is not sent if its sender is offline (`bench`,
 * `bare`) or has too large a backlog (`chat`). The figures of such a run are those of a smaller load. Pure.
 */
import type { FaultKind, RunPlan, Step } from '../../model/plan.ts'
import type { Check, RunResult } from '../../model/result.ts'
import type { ScenarioSettings } from '../../model/scenario.ts'
import { whole } from '../../report/format.ts'

/** A smaller share does not change the figures noticeably. */
const TOLERATED_SHARE = 0.01
/**
 * How long a reconnect takes after a cut or crash: Socket.IO's first delay is up to 1.5 s, plus connecting
 * and joining.
 */
const RECONNECT_MS = 3_000

type Settings = Pick<ScenarioSettings, 'dialect' | 'shape'>

export function sentCheck(
  { verdict, refusals }: Pick<RunResult, 'verdict' | 'refusals'>,
  plan: RunPlan,
  asked: Settings,
): Check {
  const { due, sent } = verdict
  const plannedShare = asked.dialect === 'chat' ? 0 : offlineShare(plan, asked)
  const most = Math.ceil(round(due * Math.min(1, TOLERATED_SHARE + plannedShare)))
  const codes = ['offline', 'backlog'].flatMap((code) => {
    const count = refusals[code] ?? 0
    return count === 0 ? [] : [`${whole(count)} ${code}`]
  })
  const unsent =
    due === sent
      ? []
      : [`${whole(due - sent)} were not sent (${[...codes, `at most ${whole(most)} allowed`].join(', ')})`]
  return {
    name: 'every due message was sent',
    ok: due - sent <= most,
    detail: [`${whole(sent)} of ${whole(due)}`, ...unsent].join('; '),
  }
}

/** Removes floating-point error of summed shares. */
const round = (value: number): number => Math.round(value * 1e6) / 1e6

/**
 * The share of the load that can't be sent because the plan itself takes clients offline, in dialects without
 * a backlog.
 */
function offlineShare({ clients, steps }: RunPlan, { shape }: Settings): number {
  const loadMs = steps.reduce((sum, step) => sum + (step.do === 'load' ? step.load.durationMs : 0), 0)
  const totalOfflineMs = steps.reduce((sum, step) => sum + offlineMsOf(step, { clients, steps }, shape), 0)
  return loadMs === 0 ? 0 : totalOfflineMs / (loadMs * clients.length)
}

/** Summed over the clients. */
function offlineMsOf(
  step: Step,
  { clients, steps }: Pick<RunPlan, 'clients' | 'steps'>,
  shape: Settings['shape'],
): number {
  const onHost = (host: number) => clients.filter((client) => client.host === host).length
  if (step.do === 'churn') return ((step.churn.perSec * step.churn.durationMs) / 1_000) * RECONNECT_MS
  if (step.do === 'cut') {
    const { selection, offlineMs } = step.cut
    const share =
      selection === 'all'
        ? 1
        : 'share' in selection
          ? selection.share
          : onHost(selection.host) / clients.length
    return share * clients.length * (offlineMs + RECONNECT_MS)
  }
  if (step.do !== 'fault') return 0
  const { part, end } = OFFLINE_BY_FAULT[step.fault] ?? {}
  const endsAtMs = steps.find((one) => one.do === 'fault' && one.fault === end && one.atMs >= step.atMs)?.atMs
  const lastsMs = (endsAtMs ?? step.atMs) - step.atMs + RECONNECT_MS
  if (part === 'host') return onHost(step.which) * lastsMs
  const { workersPerHost } = shape
  if (part === 'worker') return (onHost(Math.floor(step.which / workersPerHost)) / workersPerHost) * lastsMs
  return 0
}

/** Which clients a fault takes offline, and the step that brings them back, if any. */
const OFFLINE_BY_FAULT: Readonly<Partial<Record<FaultKind, { part: 'host' | 'worker'; end?: FaultKind }>>> = {
  'kill-worker': { part: 'worker' },
  'terminate-worker': { part: 'worker' },
  'pause-worker': { part: 'worker', end: 'resume-worker' },
  'kill-host': { part: 'host', end: 'start-host' },
  'kill-primary': { part: 'host', end: 'start-host' },
  'stop-host': { part: 'host', end: 'start-host' },
  'pause-host': { part: 'host', end: 'resume-host' },
  reload: { part: 'host' },
}
