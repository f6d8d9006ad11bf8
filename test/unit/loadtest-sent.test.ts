/** Due and sent messages, clients that were offline, and the command that repeats a comparison. */
import { describe, expect, test } from 'vitest'
import { argumentsOfComparison, CompareFlags } from '../../loadtest/cli/compare-flags.ts'
import type { MemberRecord } from '../../loadtest/model/delivery-records.ts'
import type { RunResult } from '../../loadtest/model/result.ts'
import { reportPage } from '../../loadtest/report/page/page.ts'
import { repeatComparison } from '../../loadtest/report/repeat-command.ts'
import { unpainted } from '../../loadtest/report/terminal/paint.ts'
import { terminalReport } from '../../loadtest/report/terminal/terminal-run.ts'
import { scenarioNamed, targetNamed } from '../../loadtest/run/request/names.ts'
import { RunFlags, requestOf } from '../../loadtest/run/request/request.ts'
import { awayOf } from '../../loadtest/run/result/away-clients.ts'
import { sentCheck } from '../../loadtest/run/result/sent-check.ts'
import { recordsOf } from '../harness/loadtest/records.ts'
import { imaginedResult } from '../harness/loadtest/results.ts'

const GIVEN = { seed: 7, agents: 2 }

function sentOf(due: number, sent: number, refusals: Record<string, number> = {}): RunResult {
  const { verdict, ...others } = imaginedResult({ seconds: 9 })
  return { ...others, refusals, verdict: { ...verdict, due, sent } }
}

function checkOf(name: string, dialect: 'chat' | 'bench', due: number, sent: number) {
  const { scenario, settings } = requestOf(
    scenarioNamed(name),
    targetNamed('rookery'),
    RunFlags.parse({ dialect }),
    GIVEN,
  )
  return sentCheck(sentOf(due, sent, { offline: due - sent }), scenario.plan(settings), settings)
}

describe('the share of due messages that were sent', () => {
  test('is reported with the reason for the rest, and fails when more than one in a hundred is missing', () => {
    expect(checkOf('small-rooms', 'bench', 1_000, 1_000)).toMatchObject({
      ok: true,
      detail: '1,000 of 1,000',
    })
    expect(checkOf('small-rooms', 'bench', 1_000, 990).ok).toBe(true)
    expect(checkOf('small-rooms', 'bench', 1_000, 989)).toMatchObject({
      ok: false,
      detail: '989 of 1,000; 11 were not sent (11 offline, at most 10 allowed)',
    })
  })

  test.each([
    // 600 clients, 20 s of load: all are offline for 0.5 s and the time to reconnect.
    ['avalanche', 185],
    // Half of 300 clients for 9 s of 30 s.
    ['host-kill', 210],
    // All for 2 s in each 15 s.
    ['jitter', 344],
    // Three times half of the clients.
    ['worker-kills', 160],
    // One in twenty per second.
    ['churn', 160],
  ])('%s: clients that the plan takes offline can’t send where nothing is stored', (name, most) => {
    expect(checkOf(name, 'bench', 1_000, 1_000 - most).ok).toBe(true)
    expect(checkOf(name, 'bench', 1_000, 1_000 - most - 1).ok).toBe(false)
    // A client of the chat sends it later.
    expect(checkOf(name, 'chat', 1_000, 989).ok).toBe(false)
  })

  test('is shown next to the sent count, on the terminal and on the page', async () => {
    const result = sentOf(1_000, 900, { backlog: 100 })
    const text = terminalReport(result, { columns: 100, paint: unpainted }).join('\n')
    expect(text).toContain('1,000 due · 100 never sent · 900 sent')
    const page = await reportPage(result)
    expect(page).toMatch(/never sent<\/t[hd]>\s*<td[^>]*>100</)
    expect(page).toContain('10 % of the due messages were never sent')
    expect(terminalReport(sentOf(9, 9), { columns: 100, paint: unpainted }).join('\n')).toContain(
      '9 due · 9 sent',
    )
  })
})

const record = (client: number, absences: MemberRecord['absences']) => ({ client, absences }) as MemberRecord

test('a client that was offline is counted once, by host', () => {
  const [part] = recordsOf([], []).parts
  if (part === undefined) throw new Error('there are no records')
  const members = [
    record(0, []),
    record(1, [
      [1, 2],
      [3, Number.NaN],
    ]),
    record(1, [[1, 2]]),
    record(3, [[1, 2]]),
  ]
  const clients = [0, 1, 0, 1].map((host) => ({ host }))
  expect(awayOf({ parts: [{ ...part, members }] }, clients)).toEqual([0, 2])
})

test('a comparison is repeated with all its arguments, each side with its own', () => {
  const asked = RunFlags.parse({ hosts: '2', workers: '3', clients: '50', env: ['LOG_LEVEL=warn'] })
  const flags = CompareFlags.parse({
    a: 'redis-sharded',
    b: 'rookery',
    beside: 'rookery',
    pairs: '4',
    bEnv: ['X=1'],
  })
  const first = requestOf(
    scenarioNamed('small-rooms'),
    targetNamed('redis-sharded'),
    { ...asked, env: ['LOG_LEVEL=warn', 'OWN=1'] },
    GIVEN,
  )
  const comparison = {
    document: 'comparison' as const,
    version: 1 as const,
    tool: { version: '0', commit: null },
    startedAt: '2026-01-01T00:00:00.000Z',
    interrupted: false,
    sides: [],
    beside: [],
  }
  const again = (given: RunFlags) =>
    repeatComparison({ ...comparison, arguments: argumentsOfComparison(given, flags, first) })
  expect(again(asked)).toBe(
    'npm run loadtest -- compare --a redis-sharded --b rookery --pairs 4 --beside rookery --b-env X=1 ' +
      '--hosts 2 --workers 3 --env LOG_LEVEL=warn --clients 50 --rate 200 --duration 20 --room-size 5 ' +
      '--text-length 64 --kind raw --transport websocket --arrivals poisson --ramp 0 --dialect bench --agents 2 --seed 7',
  )
  // Each target has its own shape when none was requested.
  expect(again(RunFlags.parse({}))).not.toMatch(/--hosts|--workers|--env/)
})
