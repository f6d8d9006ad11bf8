/** Leaves out of a value what has no structured clone: functions, proxies, and what only their like hold. */
import { serialize } from 'node:v8'

/** Deeper than this nothing that can't be cloned as it is is looked into. */
const MAX_DEPTH = 8

/** @param lost told the path of each thing left out */
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
    // A getter or a trap of the application's has thrown: what it stands for can't be had.
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
