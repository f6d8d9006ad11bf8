/**
 * Removes from a value whatever has no structured clone: functions, proxies, and objects that hold nothing
 * else.
 */
import { serialize } from 'node:v8'

/** Parts below this depth are removed whole if they can't be cloned as they are. */
const MAX_DEPTH = 8

/** @param lost called with the path of each removed part */
export function cloneable(value: unknown, lost: (path: string) => void): unknown {
  return clonePart(value, '', lost)
}

function clonePart(value: unknown, path: string, lost: (path: string) => void): unknown {
  if (hasClone(value)) return value
  if (typeof value !== 'object' || value === null || path.split('.').length > MAX_DEPTH)
    return leaveOut(path, lost)
  try {
    if (Array.isArray(value)) return value.map((item, index) => clonePart(item, `${path}.${index}`, lost))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, clonePart(item, `${path}.${key}`, lost)]),
    )
  } catch {
    // A getter or a proxy trap of the application threw.
    return leaveOut(path, lost)
  }
}

function leaveOut(path: string, lost: (path: string) => void): undefined {
  lost(path)
  return undefined
}

function hasClone(value: unknown): boolean {
  try {
    serialize(value)
    return true
  } catch {
    return false
  }
}
