import { defineConfig } from 'vitest/config'
import { LongestFirst } from './harness/longest-first.ts'

const pool = 'forks'
/**
 * Tests that start processes. Several files run at a time, of whichever project: most of their time is waiting. The time-outs
 * only end what hangs; no test depends on them.
 */
const spawning = {
  pool,
  maxWorkers: 4,
  testTimeout: 120_000,
  // Several hosts start in one hook.
  hookTimeout: 300_000,
  sequence: { groupOrder: 1 },
} as const

/** Several hosts over Redis: a project of its own, so that `npm run test:hosts` runs them alone. */
const ofHosts = [
  'test/{integration,fault}/{hosts,forward,limits,redis-connection,pm2-hosts,balancers,python-hosts}*.test.ts',
]
/**
 * Not beside tests of hosts, which create network devices: Chromium ends requests that are on their way when a device of the machine
 * comes or goes (ERR_NETWORK_CHANGED).
 */
const inChromium = [
  'test/browser/**/*.test.ts',
  'test/integration/{client-browser,client-transports,cors}.test.ts',
]
const CHROMIUM_ENV = { MAY_USE_CHROMIUM: 'yes' }
/** Tests that measure memory run when nothing else does. */
const alone = ['test/fault/fuzz-memory.test.ts']
/** Tests that `npm run test:long` runs at a larger size (`harness/long-run.ts`). */
const growing = [
  'test/{unit,fault}/fuzz-*.test.ts',
  'test/fault/{client-long,client-offline,hosts-run}.test.ts',
  'test/integration/connects.test.ts',
  'test/browser/long-rooms.test.ts',
]

const spawned = (folder: string) => ({
  ...spawning,
  include: [`test/${folder}/**/*.test.ts`],
  exclude: [...ofHosts, ...inChromium, ...alone],
})

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/harness/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          pool,
          maxWorkers: 2,
          // They share nothing but pure modules: a process for each file would double their time.
          isolate: false,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: 'contract', ...spawned('contract') } },
      { test: { name: 'integration', ...spawned('integration') } },
      {
        test: {
          name: 'browser',
          ...spawning,
          include: inChromium,
          env: CHROMIUM_ENV,
          expect: { poll: { timeout: 60_000 } },
          sequence: { groupOrder: 2 },
        },
      },
      { test: { name: 'fault', ...spawned('fault'), sequence: { groupOrder: 2 } } },
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
        test: { name: 'alone', ...spawning, include: alone, maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
      {
        // What takes minutes: `npm run test:long`. `npm test` leaves this project out.
        test: {
          name: 'long',
          ...spawning,
          include: ['test/long/**/*.test.ts', ...growing],
          maxWorkers: 1,
          testTimeout: 1_200_000,
          expect: { poll: { timeout: 60_000 } },
          env: { TEST_LONG: '1', ...CHROMIUM_ENV },
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})
