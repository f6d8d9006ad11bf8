import { defineConfig } from 'vitest/config'
import { HostsFirst } from './harness/hosts-first.ts'

const pool = 'forks'
/**
 * Tests that start processes. Three files at a time, of whichever project: much of them is waiting. A machine that stands still may
 * break one, so each has a second try; the summary names those that needed it.
 */
const spawning = {
  pool,
  maxWorkers: 3,
  retry: 1,
  testTimeout: 120_000,
  // Hooks have no second try, and several hosts begin in one.
  hookTimeout: 300_000,
  sequence: { groupOrder: 1 },
} as const

/** Several hosts over Redis: a project of its own, so that `npm run test:hosts` runs them alone. */
const ofHosts = [
  'test/{integration,fault,browser}/{hosts,forward,limits,redis-connection,pm2-hosts,balancers,python-hosts}*.test.ts',
]
/** What measures memory runs when nothing else does. */
const alone = ['test/fault/fuzz-memory.test.ts']

const spawned = (folder: string) => ({
  ...spawning,
  include: [`test/${folder}/**/*.test.ts`],
  exclude: [...ofHosts, ...alone],
})

export default defineConfig({
  test: {
    sequence: { sequencer: HostsFirst },
    reporters: ['default', './test/harness/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          pool,
          maxWorkers: 2,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: 'contract', ...spawned('contract') } },
      { test: { name: 'integration', ...spawned('integration') } },
      { test: { name: 'browser', ...spawned('browser'), expect: { poll: { timeout: 60_000 } } } },
      { test: { name: 'fault', ...spawned('fault') } },
      {
        test: {
          name: 'hosts',
          ...spawning,
          include: [...ofHosts, 'test/integration/adapter-*.test.ts'],
          env: { ADAPTER_SHAPE: 'two hosts' },
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        test: { name: 'alone', ...spawning, include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
})
