import { defineConfig } from 'vitest/config'

/** `fileParallelism: false` where a file starts a cluster of its own: two cores carry one at a time. */
const spawning = {
  pool: 'forks',
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const

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
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...spawning } },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          expect: { poll: { timeout: 60_000 } },
          ...spawning,
        },
      },
      { test: { name: 'fault', include: ['test/fault/**/*.test.ts'], ...spawning } },
    ],
  },
})
