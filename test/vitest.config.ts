import { defineConfig } from 'vitest/config'

/** `fileParallelism: false` where a file starts a cluster of its own and breaks it: two cores carry one at a time. */
const spawning = {
  pool: 'forks',
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const

/**
 * Several hosts over Redis. A project of its own, so that `npm run test:hosts` runs them alone, and two files of it at a time:
 * much of them is waiting, until a host that says nothing is missed, or a Redis has chosen another master.
 */
const ofHosts = [
  'test/{integration,fault,browser}/{hosts,forward,limits,redis-connection,pm2-hosts,balancers,python-hosts}*.test.ts',
]
/** Two files at a time, each project in its turn. */
const inPairs = (groupOrder: number) => ({
  fileParallelism: true,
  maxWorkers: 2,
  sequence: { groupOrder },
})
const spawned = (folder: string) => ({
  include: [`test/${folder}/**/*.test.ts`],
  exclude: ofHosts,
  ...spawning,
})

export default defineConfig({
  test: {
    reporters: ['default', './test/harness/summary-reporter.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], pool: 'forks', testTimeout: 30_000 } },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 60_000,
        },
      },
      { test: { name: 'integration', ...spawned('integration'), ...inPairs(2) } },
      {
        test: {
          name: 'browser',
          expect: { poll: { timeout: 60_000 } },
          ...spawned('browser'),
          ...inPairs(3),
        },
      },
      { test: { name: 'fault', ...spawned('fault') } },
      {
        test: {
          name: 'hosts',
          include: [...ofHosts, 'test/integration/adapter-*.test.ts'],
          env: { ADAPTER_SHAPE: 'two hosts' },
          expect: { poll: { timeout: 60_000 } },
          ...spawning,
          ...inPairs(1),
        },
      },
    ],
  },
})
