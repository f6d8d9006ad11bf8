/**
 * The order of the test files: the slowest start first, so that none of them is left for the end, when the
 * other files are done. It only affects the length of the run; no test depends on it.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take 20 s and more on a quiet machine of two cores, the longest first. */
const LONGEST = [
  'fault/hosts-failover',
  'integration/loadtest-audit',
  'fault/hosts-run',
  'fault/hosts-dying',
  'fault/supervisor',
  'integration/redis-connection-failover',
  'fault/single-redis',
  'fault/single-worker',
  'fault/client-offline',
  'browser/long-rooms',
  'integration/loadtest-fleet',
  'integration/hosts-balancers',
  'fault/hosts-cut',
  'browser/appearance',
  'browser/sign-in',
  'integration/connects',
  'fault/client-faults',
  'integration/hosts-deaths',
  'fault/hosts-answers',
  'integration/loadtest-targets-hosts',
  'integration/limits',
  'integration/forward-faults',
  'fault/hosts-start',
  'integration/loadtest-targets',
  'integration/pack',
  'integration/balancers',
  'browser/conversation',
  'fault/fuzz-events',
  'browser/hosts',
  'fault/kill',
  'integration/loadtest-fleet-chat',
  'integration/loadtest-smoke',
  'integration/hand-off-faults',
  'fault/clients-hostile',
  'fault/single-primary',
  'fault/single-descriptors',
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
