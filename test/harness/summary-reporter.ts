/**
 * Ends a run with plain text for scripts and people: the last line is `N passed, N failed, N skipped`. A test runs once here: one
 * that was given a second try has failed, and a block before the last line says which and why.
 */
import { stripVTControlCharacters } from 'node:util'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

type States = Record<'passed' | 'failed' | 'skipped' | 'pending', number>

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const states: States = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    const triedAgain: TestCase[] = []
    for (const testModule of modules) {
      for (const test of testModule.children.allTests()) {
        const isSecondTry = (test.diagnostic()?.retryCount ?? 0) > 0
        if (isSecondTry) triedAgain.push(test)
        states[isSecondTry ? 'failed' : test.result().state] += 1
      }
      // A file that could not be loaded, or whose hooks failed, has no failed test.
      if (testModule.state() === 'failed') states.failed += testModule.errors().length
    }
    const failed = states.failed + states.pending + unhandledErrors.length
    const last = `${states.passed} passed, ${failed} failed, ${states.skipped} skipped\n`
    // After the output of the other reporters.
    process.once('exit', () => {
      if (failed > 0) process.exitCode = 1
      process.stdout.write(secondTries(triedAgain) + last)
    })
  }
}

function secondTries(tests: readonly TestCase[]): string {
  if (tests.length === 0) return ''
  return ['', `Tests that needed a second try (${tests.length}):`, ...tests.map(secondTry), '', ''].join('\n')
}

function secondTry(test: TestCase): string {
  const { state, errors } = test.result()
  const where = `${test.project.name} ${test.module.relativeModuleId} > ${test.fullName}`
  const why = stripVTControlCharacters(errors?.[0]?.message ?? 'no error was kept')
  return `  ${where}: ${state} after\n${why.replaceAll(/^/gm, '      ')}`
}
