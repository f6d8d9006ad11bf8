/** Limits of values from outside: deep or endless ones would end the process that takes them apart. Pure. */
export interface ValueLimits {
  /** Containers within containers. */
  maxDepth: number
  /** Values, containers and keys together. */
  maxValues: number
}

/** Of a value that was parsed from JSON. */
export function isWithinLimits(value: unknown, { maxDepth, maxValues }: ValueLimits): boolean {
  let level: unknown[] = [value]
  let values = 0
  for (let depth = 0; level.length > 0; depth += 1) {
    values += level.length
    if (depth > maxDepth || values > maxValues) return false
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return true
}
