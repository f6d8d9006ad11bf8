/** The environment of every server process: it loads the probe. */
import { pathToFileURL } from 'node:url'
import { inPackage } from '../system/package-root.ts'

/** How long a stalled event loop blocks. */
export const STALL_MS = 3_000

/** @param directory for the probes' files */
export function probeEnvironment(directory: string): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${pathToFileURL(inPackage('loadtest/measure/probe/probe.js')).href}`,
    LOADTEST_PROBES: directory,
    LOADTEST_STALL_MS: String(STALL_MS),
  }
}
