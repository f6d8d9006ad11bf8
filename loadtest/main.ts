#!/usr/bin/env node
/** The load-test suite's command line: `npm run loadtest`, `rookery-loadtest`. */
import { runCli } from './cli/program.ts'

// Not process.exit: output written to a pipe must arrive.
process.exitCode = await runCli(process.argv.slice(2))
