/** Ends a run with one plain line for scripts: `N passed, N failed, N skipped`. */
import type { Reporter, TestModule } from 'vitest/node'

type States = Record<'passed' | 'failed' | 'skipped' | 'pending', number>

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const states: States = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const testModule of modules) {
      for (const test of testModule.children.allTests()) states[test.result().state] += 1
      // A file that could not be loaded, or whose hooks failed, has no failed test to show for it.
      if (testModule.state() === 'failed') states.failed += testModule.errors().length
    }
    const failed = states.failed + states.pending + unhandledErrors.length
    // After what the other reporters still write.
    process.once('exit', () => {
      process.stdout.write(`${states.passed} passed, ${failed} failed, ${states.skipped} skipped\n`)
    })
  }
}
