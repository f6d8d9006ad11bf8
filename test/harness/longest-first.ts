/**
 * The order of the test files: the slowest start first, so that none of them is left for the end, when the
 * other files are done. It only affects the length of the run; no test depends on it.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take 20 s and more on a quiet machine of two cores, the longest first. */
const LONGEST = [
  'integration/loadtest-audit',
  'integration/hosts-balancers',
  'fault/hosts-failover',
  'fault/hosts-dying',
  'integration/balancers-rolled',
  'fault/hosts-run',
  'integration/loadtest-fleet',
  'fault/supervisor',
  'integration/loadtest-connection-servers',
  'integration/pm2-hosts',
  'integration/balancers',
  'integration/redis-connection-failover',
  'integration/connects',
  'fault/client-faults',
  'browser/long-rooms',
  'integration/pack',
  'integration/forward-sessions',
  'integration/forward-faults',
  'fault/fuzz-events',
  'fault/kill',
  'integration/hosts-deaths',
  'integration/limits',
  'integration/loadtest-targets-hosts',
  'browser/sign-in',
  'integration/loadtest-fleet-chat',
  'browser/reading',
  'fault/single-descriptors',
  'fault/hosts-cut',
  'browser/appearance',
  'integration/hosts-apart',
  'integration/hand-off-faults',
  'browser/tabs',
  'integration/loadtest-targets',
  'browser/conversation',
  'browser/attention',
  'fault/hosts-answers',
  'fault/hosts-start',
  'integration/loadtest-smoke',
  'fault/single-redis',
  'browser/hosts',
  'integration/cli-log',
  'integration/cluster-tasks',
  'browser/page-versions',
  'browser/writing',
  'fault/single-worker',
  'fault/single-primary',
  'fault/single-debugger',
  'fault/clients-hostile',
  'integration/cli',
  'integration/hosts-presence',
  'integration/redis-connection-names',
  'browser/keyboard',
  'integration/python',
  'integration/adapter-large',
  'integration/loadtest-cli',
  'browser/loadtest-report',
  'integration/node-versions',
  'integration/loadtest-connection',
  'integration/app-options',
  'contract/redis-log-faults',
  'integration/hand-off-connects',
]

const places = new Map(LONGEST.map((name, index) => [`${name}.test.ts`, index]))

export class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((one, other) => place(one) - place(other)))
  }
}

function place({ moduleId }: TestSpecification): number {
  return places.get(moduleId.split('/').slice(-2).join('/')) ?? LONGEST.length
}
