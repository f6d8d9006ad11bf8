/** Whether a debugger may stop this process: its inspector is open (`--inspect`, SIGUSR1). */
import { url } from 'node:inspector'

export function isInspected(): boolean {
  return url() !== undefined
}
