/** What every server process gets, whatever it runs: the probe that tells how it does. */
import { pathToFileURL } from 'node:url'
import { inPackage } from '../system/package-root.ts'

/** How long an event loop stands still that is told to. */
export const STALL_MS = 3_000

/** @param directory for the probes' files */
export function probeEnvironment(directory: string): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${pathToFileURL(inPackage('loadtest/measure/probe/probe.js')).href}`,
    LOADTEST_PROBES: directory,
    LOADTEST_STALL_MS: String(STALL_MS),
  }
}
