/** The text after the list of commands in `rookery-loadtest --help`. */
import { EXIT_CODES } from '../run/exit-codes.ts'

export function helpAfter(): string {
  const codes = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`)
  return `
Examples:
  rookery-loadtest                                            the tour: a verdict in two to three minutes
  rookery-loadtest list                                       scenarios and targets
  rookery-loadtest run worker-kills                           this project, one host with two workers
  rookery-loadtest run host-kill --hosts 2                    two hosts with their own Redis
  rookery-loadtest run havoc --seeds 1..20                    random faults, twenty seeds
  rookery-loadtest run big-room --target redis-sharded        a documented Socket.IO setup
  rookery-loadtest run small-rooms --find-limit --p99 50      the highest rate with p99 below 50 ms
  rookery-loadtest run small-rooms --url http://127.0.0.1:3000  your own server
  rookery-loadtest compare big-room --a sticky-cluster --b rookery --dialect bench --pairs 5
  rookery-loadtest report loadtest-results/*

Ctrl-C ends a run early with a report; a second Ctrl-C ends at once.

Exit codes:
${codes.join('\n')}
`
}
