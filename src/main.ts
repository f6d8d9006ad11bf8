#!/usr/bin/env node
/**
 * The entry point of every process: worker or command line. Loads only what that one needs. The only caller
 * of process.exit.
 */
import cluster from 'node:cluster'

async function run(): Promise<number> {
  if (cluster.isWorker && process.env['ROOKERY_WORKER'] !== undefined) {
    const { runWorker } = await import('./worker/worker.ts')
    return runWorker()
  }
  const { runCli } = await import('./cli/program.ts')
  return runCli({ args: process.argv.slice(2), env: process.env })
}

try {
  process.exit(await run())
} catch (error) {
  process.stderr.write(
    `rookery: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exit(1)
}
