/** What the figures of a run do not say, for readers who did not see it run. Pure. */

import { countOf } from '../../../src/core/count-of.ts'
import type { RunResult } from '../../model/result.ts'
import { digits, percent, plain } from '../format.ts'
import { outcomeOf } from '../outcome.ts'

const BUSY_LOAD = 0.5

export function caveatsOf(result: RunResult): string[] {
  return [
    ...runCaveats(result),
    ...targetCaveats(result),
    ...dialectCaveats(result),
    ...generalCaveats(result),
  ]
}

function runCaveats(result: RunResult): string[] {
  const { cores, loadAverage } = result.machine
  const { due, sent } = result.verdict
  return [
    sent < due
      ? `${percent(1 - sent / due)} of the due messages were never sent: the figures are those of a smaller load.`
      : '',
    outcomeOf(result).status === 'invalid'
      ? 'The run is invalid: its figures describe the load generator or a failure, and are shown only to find out why.'
      : '',
    result.interrupted ? 'The run was interrupted: the figures cover the time until then.' : '',
    loadAverage > cores * BUSY_LOAD
      ? `The machine was not idle before the run (load ${digits(loadAverage)} on ${countOf(cores, 'core')}): latencies include its other work.`
      : '',
  ].filter((line) => line !== '')
}

function targetCaveats({ server, verdict }: RunResult): string[] {
  if (server === null) {
    return [
      'The servers run elsewhere: their CPU time and memory are unknown, and the network is part of every latency.',
    ]
  }
  const noLoad =
    verdict.sent === 0
      ? []
      : [
          'CPU per message contains everything that the servers did during the load, including heartbeats, joins after a fault and kernel time.',
        ]
  return [
    'Clients and servers shared one machine and its cores, over loopback: latencies contain no network, and the servers had less CPU than on a machine of their own.',
    ...noLoad,
  ]
}

function dialectCaveats({ dialect, kind }: RunResult): string[] {
  const text = {
    chat: 'The chat stores every message in a durable log before it acks it: do not compare its cost with broadcasts that are not stored.',
    bench:
      'These broadcasts are not stored: a client gets what was sent while it was away only if the setup promises it.',
    bare: 'Plain WebSockets without Socket.IO: a lower bound, not an alternative. They have no reconnects, no fallback, and no communication between processes.',
  }
  const clients =
    kind === 'raw'
      ? 'The clients are lean: a browser spends more time on a message.'
      : 'The clients are stock socket.io-client: their own CPU time is part of every latency.'
  return [text[dialect], clients]
}

function generalCaveats({ machine }: RunResult): string[] {
  return [
    'A percentile of one run is not that of a week: a single run shows no rare events.',
    `Compare with figures of other machines than this (${plain(machine.cpu)}, ${countOf(machine.cores, 'core')}) only as ratios, never as absolute numbers.`,
  ]
}
