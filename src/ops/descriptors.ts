/** The limit of open file descriptors of this process. Every connection takes one. */
import { readFileSync } from 'node:fs'

/** @returns nothing where the system has no limit or does not report it */
export function descriptorLimit(): number | undefined {
  try {
    return softLimit(readFileSync('/proc/self/limits', 'utf8'))
  } catch (error) {
    // Only Linux has this file.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** @param limits the content of /proc/self/limits */
export function softLimit(limits: string): number | undefined {
  const soft = /^Max open files +([0-9]+) /m.exec(limits)?.[1]
  return soft === undefined ? undefined : Number(soft)
}
