/** What the figures of a run do not say, for whoever reads them without having seen it run. Pure. */
import type { RunResult } from '../../model/result.ts'
import { countOf, digits, percent, plain } from '../format.ts'
import { outcomeOf } from '../outcome.ts'

const BUSY_LOAD = 0.5

export function caveatsOf(result: RunResult): string[] {
  return [...ofThisRun(result), ...ofTheTarget(result), ...ofTheDialect(result), ...ofEveryRun(result)]
}

function ofThisRun(result: RunResult): string[] {
  const { cores, loadAverage } = result.machine
  const { due, sent } = result.verdict
  return [
    sent < due
      ? `${percent(1 - sent / due)} of what was due was never sent: its figures are those of a smaller load.`
      : '',
    outcomeOf(result).standing === 'invalid'
      ? 'The run is invalid: its figures describe the load generator or an accident, and are shown only to find out why.'
      : '',
    result.interrupted ? 'The run was interrupted: it stands for what was run until then.' : '',
    loadAverage > cores * BUSY_LOAD
      ? `The machine was not idle before the run (load ${digits(loadAverage)} on ${countOf(cores, 'core')}): latencies include its other work.`
      : '',
  ].filter((line) => line !== '')
}

function ofTheTarget({ server, verdict }: RunResult): string[] {
  if (server === null) {
    return [
      'The servers run elsewhere: nothing is known of their CPU time and memory, and the network is part of every latency.',
    ]
  }
  const noLoad =
    verdict.sent === 0
      ? []
      : [
          'CPU per message contains everything that the servers did while there was load: heartbeats, joins after a fault and the kernel’s work for them too.',
        ]
  return [
    'Clients and servers shared one machine and its cores, over loopback: there is no network in these latencies, and less CPU for the servers than on a machine of their own.',
    ...noLoad,
  ]
}

function ofTheDialect({ dialect, kind }: RunResult): string[] {
  const said = {
    chat: 'The chat keeps every message in a durable log before it acks: its cost must not be held against broadcasts that nothing keeps.',
    bench:
      'Nothing keeps these broadcasts: what is sent while a client is away is owed to it only where the set-up promises so.',
    bare: 'Plain WebSockets without Socket.IO: a floor, not an alternative. There is no reconnecting, no fallback, and nothing between processes.',
  }
  const clients =
    kind === 'raw'
      ? 'The clients are lean ones of this suite: a browser spends more time on a message than they do.'
      : 'The clients are stock socket.io-client: their own CPU time is part of every latency.'
  return [said[dialect], clients]
}

function ofEveryRun({ machine }: RunResult): string[] {
  return [
    'A percentile of a run is not that of a week: one run on one day tells of no rare event.',
    `Figures of another machine than this (${plain(machine.cpu)}, ${countOf(machine.cores, 'core')}) are to be compared as ratios, never as absolute numbers.`,
  ]
}
