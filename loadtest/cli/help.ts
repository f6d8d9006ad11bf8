/** What `rookery-loadtest --help` says below its list of commands. */
import { EXIT_CODES } from '../run/exit-codes.ts'

export function helpAfter(): string {
  const codes = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`)
  return `
Examples:
  rookery-loadtest                                            the tour: a verdict in two to three minutes
  rookery-loadtest list                                       scenarios and targets
  rookery-loadtest run worker-kills                           this project, one host with two workers
  rookery-loadtest run host-kill --hosts 2                    two hosts over a Redis of their own
  rookery-loadtest run havoc --seeds 1..20                    random faults, twenty times
  rookery-loadtest run big-room --target redis-sharded        a documented Socket.IO set-up
  rookery-loadtest run small-rooms --find-limit --p99 50      the highest rate that holds
  rookery-loadtest run small-rooms --url http://127.0.0.1:3000  a server of yours
  rookery-loadtest compare big-room --a sticky-cluster --b rookery --dialect bench --pairs 5
  rookery-loadtest report loadtest-results/*

Ctrl-C ends a run early and still gives its report; twice ends at once.

Exit codes:
${codes.join('\n')}
`
}
