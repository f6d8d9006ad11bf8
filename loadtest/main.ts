#!/usr/bin/env node
/** The load-test suite's command line: `npm run loadtest`, `rookery-loadtest`. */
import { runCli } from './cli/program.ts'

// Not process.exit: what was written to a pipe is to arrive.
process.exitCode = await runCli(process.argv.slice(2))
